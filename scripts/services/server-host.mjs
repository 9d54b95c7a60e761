// @ts-check
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * @typedef {object} Command
 * @property {string} file
 * @property {string[]} args
 * @property {string} log where its output goes
 * @property {string} [cwd]
 * @property {Record<string, string>} [env] beside the environment of this process
 * @property {import('./unprivileged.mjs').Account} [as]
 * @property {NodeJS.Signals} [stopSignal] default SIGTERM; SIGKILL follows after five seconds
 */

/** How a process ended. @typedef {{ code?: number | null, signal?: string | null, error?: string }} End */

/**
 * Runs servers that end with this process, however it ends, and one temporary folder for what they
 * write, which goes with them.
 */
export class ServerHost {
  #keeper
  #lastId = 0
  /** @type {Map<number, (message: End & { pid?: number }) => void>} */
  #listeners = new Map()

  /** @returns {Promise<ServerHost>} */
  static async open() {
    const file = fileURLToPath(new URL('keeper.mjs', import.meta.url))
    const keeper = spawn(process.execPath, [file], {
      // Detached: a ctrl-C in the terminal must not reach it or the servers.
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const [{ folder }] = await once(keeper, 'message')
    return new ServerHost(keeper, folder)
  }

  /**
   * @private
   * @param {import('node:child_process').ChildProcess} keeper
   * @param {string} folder
   */
  constructor(keeper, folder) {
    this.#keeper = keeper
    this.folder = folder
    keeper.on('message', (/** @type {End & { id: number, pid?: number }} */ message) =>
      this.#listeners.get(message.id)?.(message),
    )
  }

  /**
   * Starts a process. `ended` resolves with how it ended.
   *
   * @param {Omit<Command, 'log'> & { name: string }} command `name` is that of its log file
   */
  start({ name, ...rest }) {
    const id = ++this.#lastId
    const log = join(this.folder, `${name}-${id}.log`)
    /** @type {Promise<End>} */
    const ended = new Promise(resolve => {
      this.#listeners.set(id, message => {
        if (message.pid === undefined) resolve(message)
        else started.pid = message.pid
      })
    })
    const started = {
      /** @type {number | undefined} */
      pid: undefined,
      ended,
      /** What it has said so far. */
      log: () => readFileSync(log, 'utf8'),
      /** Its last lines. */
      logTail: () => readFileSync(log, 'utf8').trimEnd().split('\n').slice(-15).join('\n'),
    }
    this.#keeper.send({ id, command: { ...rest, log } })
    return started
  }

  /** Stops every server and removes the folder; resolves when both are done. */
  async close() {
    if (this.#keeper.exitCode !== null || this.#keeper.signalCode !== null) return
    const exit = once(this.#keeper, 'exit')
    if (this.#keeper.connected) this.#keeper.disconnect()
    await exit
  }
}
