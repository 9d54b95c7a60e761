import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Remote } from './remote.js'
import type { Row } from './subject.js'
import type { WorkName } from './works.js'

/** A subject whose process is there. */
export interface Running {
  readonly row: Row
  readonly remote: Remote
  readonly works: readonly WorkName[]
}

/** Opens a process for each row, has `use` done with them, and leaves nothing behind. */
export async function withRunning<T>(
  rows: readonly Row[],
  use: (running: readonly Running[], folderOf: (name: string) => string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'l2-bench-'))
  const folderOf = (name: string): string => {
    const path = join(folder, name)
    mkdirSync(path)
    return path
  }
  const remotes: Remote[] = []
  const stop = (): void => {
    rmSync(folder, { recursive: true, force: true })
    process.exit(130)
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    const running: Running[] = []
    for (const row of rows) {
      const remote = new Remote()
      remotes.push(remote)
      const works = await remote.do('open', row, { folder: folderOf(row.id) })
      running.push({ row, remote, works })
    }
    return await use(running, folderOf)
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
    await Promise.all(remotes.map(remote => remote.end()))
    rmSync(folder, { recursive: true, force: true })
  }
}
