// @ts-check
// The kit under node:test, over what is published: run by ../runners.test.ts.
import { after, test } from 'node:test'
import { redisCases } from './redis-cases.mjs'

const { cases, stop } = redisCases()
after(stop)
for (const { title, skip, run } of cases) test(title, { skip: skip !== undefined }, run)
