// @ts-check
// The kit under node:test, over what is published: run by runners.ts.
import { after, test } from 'node:test'

const { kitCases } = await import(process.env['L2_KIT_CASES'] ?? '')
const { cases, stop } = await kitCases()
after(stop)
for (const { title, skip, run } of cases) test(title, { skip: skip !== undefined }, run)
