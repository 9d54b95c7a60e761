// Runs turbo with its telemetry off: turbo.json has no key for that.
import { spawnSync } from 'node:child_process'

const { status, error } = spawnSync('turbo', process.argv.slice(2), {
  stdio: 'inherit',
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
})
if (error) {
  console.error(`turbo did not start (${error.message}); run this through pnpm, after pnpm install`)
}
process.exit(status ?? 1)
