import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Gives `use` an empty folder, which is gone afterwards, however it ends. */
export async function withScratch<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'l2-bench-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  const stop = (): void => {
    remove()
    process.exit(130)
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    return await use(folder)
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
    remove()
  }
}
