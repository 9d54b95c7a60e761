// @ts-check
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

/**
 * Runs a command with its output in a log file, calling `tick` every ten seconds meanwhile.
 * Resolves with whether it succeeded and what it said; past the timeout it and its children are
 * killed, so that a download host which never answers cannot hold an install.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {object} options
 * @param {string} options.cwd
 * @param {string} options.log path of the log file
 * @param {number} options.timeout in ms
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {(seconds: number, log: string) => void} [options.tick]
 * @returns {Promise<{ ok: boolean, log: string }>}
 */
export async function runLogged(command, args, { cwd, log, timeout, env = process.env, tick }) {
  const start = Date.now()
  const out = openSync(log, 'w')
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', out, out], detached: true })
  closeSync(out)
  const read = () => readFileSync(log, 'utf8')
  const kill = () => {
    if (child.pid === undefined) return
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has just ended.
    }
  }
  // In a group of its own it would outlive a ctrl-C.
  const stop = (/** @type {NodeJS.Signals} */ signal) => {
    kill()
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  const timer = setTimeout(kill, timeout)
  const heart = setInterval(() => tick?.(Math.round((Date.now() - start) / 1000), read()), 10_000)
  try {
    return await new Promise(resolve => {
      child.on('error', error => resolve({ ok: false, log: error.message }))
      child.on('exit', code => resolve({ ok: code === 0, log: read() }))
    })
  } finally {
    clearTimeout(timer)
    clearInterval(heart)
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}
