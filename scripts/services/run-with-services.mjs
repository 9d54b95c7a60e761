// @ts-check
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { startServices } from './start-services.mjs'

const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])

/**
 * Runs a command while the test servers are up, and resolves with its exit code once they are down
 * again. A signal goes to the command, whose end then is this one's end.
 *
 * @param {string} file
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number>}
 */
export async function runWithServices(file, args, env = process.env) {
  /** @type {NodeJS.Signals | undefined} */
  let received
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let child
  const onSignal = (/** @type {NodeJS.Signals} */ signal) => {
    // Still starting: the servers' keeper notices this end, and cleans up.
    if (!child) process.exit(128 + constants.signals[signal])
    received = signal
    child.kill(signal)
  }
  for (const signal of signals) process.on(signal, onSignal)

  const { env: servers, stop } = await startServices(line => console.log(`services: ${line}`), env)
  try {
    const running = spawn(file, args, { stdio: 'inherit', env: { ...env, ...servers } })
    child = running
    return await new Promise((resolve, reject) => {
      running.once('error', reject)
      running.once('exit', (code, signal) => {
        const by = signal ?? received
        resolve(by ? 128 + constants.signals[by] : (code ?? 1))
      })
    })
  } finally {
    await stop()
    for (const signal of signals) process.off(signal, onSignal)
  }
}
