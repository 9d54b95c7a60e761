import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { conformance, type Report } from '../src/conformance/index.js'
import { subjectOf } from './mutants/twin.js'

const MUST = conformance(subjectOf({}, '')).filter(({ level }) => level === 'MUST').length
const ALL = conformance(subjectOf({}, '')).length

async function runNode(args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise<number | null>(resolve => child.once('exit', resolve))
  return { output: await text(child.stdout), code: await exited }
}

const program = (name: string): string => fileURLToPath(new URL(`support/${name}`, import.meta.url))

test('the whole kit passes on MemoryAdapter under node:test', { timeout: 120_000 }, async () => {
  const args = ['--test', '--test-reporter=tap', program('under-node-test.mjs')]
  const { code, output } = await runNode(args)
  const failed = output.split('\n').filter(line => /^\s*not ok/.test(line))
  expect(failed).toEqual([])
  expect(output).toMatch(new RegExp(`^# pass ${ALL}$`, 'm'))
  expect(output).toMatch(/^# skipped 0$/m)
  expect(code).toBe(0)
})

test('the whole kit passes on MemoryAdapter in a plain script', { timeout: 120_000 }, async () => {
  const { code, output } = await runNode([program('as-a-script.mjs')])
  const lines = output.trim().split('\n')
  const report: Report = JSON.parse(lines.at(-1) ?? '')
  expect(report.results.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
  expect(output).toContain(`MUST ${MUST} of ${MUST} run: ${MUST} passed, 0 failed, 0 deviating`)
  expect(code).toBe(0)
})
