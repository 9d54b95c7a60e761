import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Remote } from './remote.js'
import { withScratch } from './scratch.js'
import type { Row } from './subject.js'
import type { Suite } from './suite.js'

/** A subject whose process is there. */
export interface Running {
  readonly row: Row
  readonly remote: Remote
  readonly works: readonly string[]
}

/** Opens a process for each row, has `use` done with them, and leaves nothing behind. */
export function withRunning<T>(
  suite: Suite,
  rows: readonly Row[],
  use: (running: readonly Running[], folderOf: (name: string) => string) => Promise<T>,
): Promise<T> {
  return withScratch(async scratch => {
    const folderOf = (name: string): string => {
      const folder = join(scratch, name)
      mkdirSync(folder)
      return folder
    }
    const remotes: Remote[] = []
    try {
      const running: Running[] = []
      for (const row of rows) {
        const remote = new Remote()
        remotes.push(remote)
        const works = await remote.do('open', suite.name, row, { folder: folderOf(row.id) })
        running.push({ row, remote, works })
      }
      return await use(running, folderOf)
    } finally {
      await Promise.all(remotes.map(remote => remote.end()))
    }
  })
}
