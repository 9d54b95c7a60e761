// @ts-check
// The kit under node:test, over what is published: run by ../runners.test.ts.
import { after, test } from 'node:test'
import { conformance } from '@l2/core/conformance'
import { memoryCases } from './memory-subject.mjs'

const { cases, stop } = await memoryCases(conformance)
after(stop)
for (const { title, skip, run } of cases) test(title, { skip: skip !== undefined }, run)
