// @ts-check
// The test suite, with all that it needs. Arguments go to vitest, as in `pnpm test packages/core`;
// coverage, with its thresholds, is of the whole suite only.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { prepare } from './prepare.mjs'
import { root } from './root.mjs'
import { runWithServices } from './services/run-with-services.mjs'

const args = process.argv.slice(2).filter((arg, at) => !(at === 0 && arg === '--'))
await prepare(['--filter=./packages/*'])
process.chdir(root)
const vitest = dirname(createRequire(import.meta.url).resolve('vitest/package.json'))
process.exitCode = await runWithServices(process.execPath, [
  join(vitest, 'vitest.mjs'),
  'run',
  ...(args.length === 0 ? ['--coverage'] : args),
])
