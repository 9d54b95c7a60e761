// @ts-check
// The test suite, with all that it needs. Arguments go to vitest, as in `pnpm test packages/core`;
// coverage, with its thresholds, is of the whole suite only.
import { fileURLToPath } from 'node:url'
import { prepare } from './prepare.mjs'
import { root } from './root.mjs'
import { runWithServices } from './services/run-with-services.mjs'

const args = process.argv.slice(2).filter((arg, at) => !(at === 0 && arg === '--'))
await prepare(['--filter=./packages/*', '--filter=@l2/fuzz', '--filter=@l2/example-service'])
process.chdir(root)
const vitest = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')))
process.exitCode = await runWithServices(process.execPath, [
  vitest,
  'run',
  ...(args.length === 0 ? ['--coverage'] : args),
])
