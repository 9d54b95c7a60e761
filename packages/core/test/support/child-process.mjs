// @ts-check
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { L2Error } from '@l2/core'

/** Another process, whose program calls `serve` (see serve.mjs). */
export class Child {
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: unknown) => void }>} */
  #pending = new Map()
  #lastId = 0

  constructor(/** @type {URL} */ program) {
    this.process = fork(fileURLToPath(program), { serialization: 'advanced', execArgv: [] })
    /** @type {Promise<void>} */
    this.ready = new Promise((resolve, reject) => {
      this.process.on('message', (/** @type {any} */ answer) => {
        if (answer.ready) resolve()
        else this.#settle(answer)
      })
      this.process.once('exit', (code, signal) => {
        const error = new Error(`the child ended: ${signal ?? code}`)
        reject(error)
        for (const { reject } of this.#pending.values()) reject(error)
      })
    })
    this.ready.catch(() => {})
  }

  /**
   * Has the child do one action.
   *
   * @template T
   * @param {string} action
   * @param {unknown[]} args
   * @param {(id: number) => void} [onId] gets the id that an `abort` names.
   * @returns {Promise<T>}
   */
  do(action, args, onId) {
    const id = ++this.#lastId
    onId?.(id)
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      this.process.send({ id, action, args }, error => error && reject(error))
    })
  }

  /** @returns {Promise<void>} */
  kill(/** @type {NodeJS.Signals} */ signal = 'SIGKILL') {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return Promise.resolve()
    const ended = new Promise(resolve => this.process.once('exit', () => resolve(undefined)))
    this.process.kill(signal)
    return /** @type {Promise<any>} */ (ended)
  }

  #settle(/** @type {any} */ { id, result, error }) {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (error === undefined) pending?.resolve(result)
    else if (error.code === undefined) pending?.reject(Object.assign(new Error(), error))
    else pending?.reject(new L2Error(error.code, error.message, { retryable: !!error.retryable }))
  }
}
