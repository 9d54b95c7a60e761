// @ts-check
// node scripts/with-services.mjs COMMAND [ARGS]: runs it with L2_REDIS_URL and L2_POSTGRES_URL set.
import { runWithServices } from './services/run-with-services.mjs'

const [file, ...args] = process.argv.slice(2)
if (!file) {
  console.error('usage: node scripts/with-services.mjs COMMAND [ARGS]')
  process.exit(2)
}
process.exitCode = await runWithServices(file, args)
