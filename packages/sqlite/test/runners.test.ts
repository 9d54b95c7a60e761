import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { conformance, type Report } from '@l2/core/conformance'
import { expect, test } from 'vitest'

const ALL = conformance({ open: () => expect.unreachable() })
const MUST = ALL.filter(({ level }) => level === 'MUST').length

async function runNode(args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise<number | null>(resolve => child.once('exit', resolve))
  return { output: await text(child.stdout), code: await exited }
}

const program = (name: string): string => fileURLToPath(new URL(`support/${name}`, import.meta.url))

test('the whole kit passes under node:test', { timeout: 180_000 }, async () => {
  const args = ['--test', '--test-reporter=tap', program('under-node-test.mjs')]
  const { code, output } = await runNode(args)
  const failed = output.split('\n').filter(line => /^\s*not ok/.test(line))
  expect(failed).toEqual([])
  expect(output).toMatch(new RegExp(`^# pass ${ALL.length}$`, 'm'))
  expect(output).toMatch(/^# skipped 0$/m)
  expect(code).toBe(0)
})

test('the whole kit passes in a plain script', { timeout: 180_000 }, async () => {
  const { code, output } = await runNode([program('as-a-script.mjs')])
  const report: Report = JSON.parse(output.trim().split('\n').at(-1) ?? '')
  expect(report.results.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
  expect(output).toContain(`MUST ${MUST} of ${MUST} run: ${MUST} passed, 0 failed, 0 deviating`)
  expect(code).toBe(0)
})
