import type { Running } from './running.js'
import { table } from './table.js'

/** What the subjects take: in their store per entry, and in memory after all their work. */
export async function sizes(
  running: readonly Running[],
  folderOf: (name: string) => string,
): Promise<string> {
  const rows: string[][] = []
  for (const { row, remote, works } of running) {
    console.error(`size of ${row.id} ...`)
    const place = { folder: folderOf(`${row.id}.size`) }
    const rss = await remote.do('figure', 'rss', place)
    const bytes = await remote.do('figure', 'bytesPerEntry', place)
    const tags = works.includes('set-tagged') ? '3' : 'none'
    rows.push([row.title, tags, bytes.toFixed(0), (rss / 2 ** 20).toFixed(0)])
  }
  const head = ['', 'tags', 'bytes per entry in the store', 'MiB of RSS after all work']
  return `## Sizes\n\n${table(head, rows)}`
}
