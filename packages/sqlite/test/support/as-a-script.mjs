// @ts-check
// The kit without a test runner, over what is published: run by ../runners.test.ts.
import { formatReport, runCases } from '@l2/core/conformance'
import { sqliteCases } from './sqlite-cases.mjs'

const { cases, stop } = sqliteCases()
const report = await runCases(cases)
await stop()
console.log(formatReport(report))
console.log(JSON.stringify(report))
process.exitCode = report.ok ? 0 : 1
