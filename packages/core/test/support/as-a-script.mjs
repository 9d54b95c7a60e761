// @ts-check
// The kit without a test runner, over what is published: run by ../runners.test.ts.
import { conformance, formatReport, runCases } from '@l2/core/conformance'
import { memoryCases } from './memory-subject.mjs'

const { cases, stop } = await memoryCases(conformance)
const report = await runCases(cases)
stop()
console.log(formatReport(report))
console.log(JSON.stringify(report))
process.exitCode = report.ok ? 0 : 1
