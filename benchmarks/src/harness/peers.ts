import type { Row } from './subject.js'

interface Installer {
  installPeers(): Promise<void>
  buildSqlite3(): Promise<void>
}

/**
 * Installs what the rows need.
 *
 * @returns the rows that can be run: one whose native module does not build is left out, aloud.
 */
export async function withPeers(rows: readonly Row[]): Promise<readonly Row[]> {
  if (!rows.some(({ peer }) => peer)) return rows
  const url = new URL('../../peers/install.mjs', import.meta.url)
  const { installPeers, buildSqlite3 }: Installer = await import(url.href)
  await installPeers()
  const native = rows.filter(row => row.native)
  if (native.length === 0) return rows
  try {
    await buildSqlite3()
    return rows
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    console.error(`LEFT OUT: ${native.map(({ id }) => id).join(', ')}`)
    return rows.filter(row => !row.native)
  }
}
