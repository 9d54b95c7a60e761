import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { conformance, type Report } from '@l2/core/conformance'
import { expect, test } from 'vitest'

const ALL = conformance({ open: () => expect.unreachable() })
const MUST = ALL.filter(({ level }) => level === 'MUST').length

async function runNode(
  program: URL,
  args: string[] = [],
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [...args, fileURLToPath(program)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise<number | null>(resolve => child.once('exit', resolve))
  return { output: await text(child.stdout), code: await exited }
}

test.concurrent('the whole kit passes under node:test', { timeout: 300_000 }, async () => {
  const program = new URL('support/under-node-test.mjs', import.meta.url)
  const { code, output } = await runNode(program, ['--test', '--test-reporter=tap'])
  const failed = output.split('\n').filter(line => /^\s*not ok/.test(line))
  expect(failed).toEqual([])
  expect(output).toMatch(new RegExp(`^# pass ${ALL.length}$`, 'm'))
  expect(output).toMatch(/^# skipped 0$/m)
  expect(code).toBe(0)
})

test.concurrent('the whole kit passes in a plain script', { timeout: 300_000 }, async () => {
  const { code, output } = await runNode(new URL('support/as-a-script.mjs', import.meta.url))
  const report: Report = JSON.parse(output.trim().split('\n').at(-1) ?? '')
  expect(report.results.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
  expect(output).toContain(`MUST ${MUST} of ${MUST} run: ${MUST} passed, 0 failed, 0 deviating`)
  expect(code).toBe(0)
})
