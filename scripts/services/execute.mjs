// @ts-check
import { execFile } from 'node:child_process'

/**
 * The output of a command that succeeded; else an error with its first words.
 *
 * @param {string} file
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeout?: number }} [options]
 * @returns {Promise<string>}
 */
export function execute(file, args, { timeout = 300_000, ...options } = {}) {
  return new Promise((resolve, reject) => {
    execFile(file, args, { ...options, timeout, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout)
      const words = stderr.trim().split('\n').slice(0, 3).join(' ') || error.message
      reject(new Error(`${file} failed: ${words}`))
    })
  })
}
