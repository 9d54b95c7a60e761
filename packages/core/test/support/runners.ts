import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { conformance, type Report } from '@l2/core/conformance'
import { expect, test } from 'vitest'

const ALL = conformance({ open: () => expect.unreachable() })
const MUST = ALL.filter(({ level }) => level === 'MUST').length

const AS_A_SCRIPT = fileURLToPath(new URL('as-a-script.mjs', import.meta.url))
const UNDER_NODE_TEST = fileURLToPath(new URL('under-node-test.mjs', import.meta.url))

/**
 * Tests that the kit needs no vitest: all of it passes elsewhere, over what is published.
 *
 * @param cases a module that exports `kitCases`, for programs that node runs as they are.
 * @param timeout of each run of the kit, in ms.
 */
export function testRunners(cases: URL, timeout: number): void {
  async function runNode(args: string[]): Promise<{ code: number | null; output: string }> {
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, L2_KIT_CASES: cases.href },
    })
    const exited = new Promise<number | null>(resolve => child.once('exit', resolve))
    return { output: await text(child.stdout), code: await exited }
  }

  test.concurrent('the whole kit passes under node:test', { timeout }, async () => {
    const { code, output } = await runNode(['--test', '--test-reporter=tap', UNDER_NODE_TEST])
    const failed = output.split('\n').filter(line => /^\s*not ok/.test(line))
    expect(failed).toEqual([])
    expect(output).toMatch(new RegExp(`^# pass ${ALL.length}$`, 'm'))
    expect(output).toMatch(/^# skipped 0$/m)
    expect(code).toBe(0)
  })

  test.concurrent('the whole kit passes in a plain script', { timeout }, async () => {
    const { code, output } = await runNode([AS_A_SCRIPT])
    const report: Report = JSON.parse(output.trim().split('\n').at(-1) ?? '')
    expect(report.results.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
    expect(output).toContain(`MUST ${MUST} of ${MUST} run: ${MUST} passed, 0 failed, 0 deviating`)
    expect(code).toBe(0)
  })
}
