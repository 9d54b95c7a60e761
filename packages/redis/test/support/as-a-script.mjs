// @ts-check
// The kit without a test runner, over what is published: run by ../runners.test.ts.
import { formatReport, runCases } from '@l2/core/conformance'
import { redisCases } from './redis-cases.mjs'

const { cases, stop } = redisCases()
const report = await runCases(cases)
await stop()
console.log(formatReport(report))
console.log(JSON.stringify(report))
process.exitCode = report.ok ? 0 : 1
