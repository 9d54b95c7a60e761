// @ts-check
// The kit without a test runner, over what is published: run by runners.ts.
import { formatReport, runCases } from '@l2/core/conformance'

const { kitCases } = await import(process.env['L2_KIT_CASES'] ?? '')
const { cases, stop } = await kitCases()
const report = await runCases(cases)
await stop()
console.log(formatReport(report))
console.log(JSON.stringify(report))
process.exitCode = report.ok ? 0 : 1
