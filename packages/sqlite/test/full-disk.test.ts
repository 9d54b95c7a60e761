import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { temporaryFolder } from './support/folder.js'

const PROGRAM = fileURLToPath(new URL('support/on-a-small-disk.mjs', import.meta.url))

/** Runs a shell command with a disk of its own, which goes with it, at `folder`: its `$0`. */
function onDisk(folder: string, megabytes: number, command: string, ...args: string[]) {
  const script = `mount -t tmpfs -o size=${megabytes}m tmpfs "$0" && exec ${command}`
  const shell = ['sh', '-c', script, folder, ...args]
  return spawnSync('unshare', ['--user', '--map-root-user', '--mount', ...shell], {
    encoding: 'utf8',
    timeout: 120_000,
  })
}

const canMount = onDisk(tmpdir(), 1, 'true').status === 0

test('a small disk can be had for these tests, or this system forbids it', () => {
  if (!canMount) console.warn('What a full disk does is not tested: nobody may mount one here.')
  // A system that forbids it says so, rather than run the command.
  expect(canMount || onDisk(tmpdir(), 1, 'echo mounted').stdout !== 'mounted\n').toBe(true)
})

for (const [title, ...args] of canMount
  ? [['without a bound'], ['with one that the disk has room for', `${4 * 2 ** 20}`]]
  : [])
  test(`a full disk ${title}: the oldest make room, and invalidations go on`, () => {
    const { status, stdout, stderr } = onDisk(
      temporaryFolder(),
      16,
      `${process.execPath} "$1" "$0" $2`,
      PROGRAM,
      ...args,
    )
    expect([status, stderr]).toEqual([0, ''])
    expect(JSON.parse(stdout)).toMatchObject({
      alone: 15_000,
      crowded: 15_000,
      room: 0,
      invalidated: true,
      survives: false,
      failures: {},
    })
  }, 120_000)
