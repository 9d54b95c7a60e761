// @ts-check
import { GuardedAdapter } from '@l2/core'

/** @typedef {import('@l2/core').Backend} Backend */
/** @typedef {import('@l2/core').Call} Call */

let lastHandle = 0

/** An adapter whose work one in a child does, opened there with the same options. */
export class RemoteAdapter extends GuardedAdapter {
  constructor(
    /** @type {import('./child-process.mjs').Child} */ child,
    /** @type {import('@l2/core').AdapterOptions} */ options,
  ) {
    super(options, () => new RemoteBackend(child, options))
  }
}

/** @implements {Backend} */
class RemoteBackend {
  #child
  #handle = ++lastHandle
  #opened

  constructor(
    /** @type {import('./child-process.mjs').Child} */ child,
    /** @type {object} */ options,
  ) {
    this.#child = child
    // Messages arrive in order, so calls need not wait for the answer.
    this.#opened = child.do('open', [this.#handle, options])
    this.#opened.catch(() => {})
  }

  get(/** @type {string} */ key, /** @type {Call} */ call) {
    return this.#call('get', [key], call)
  }

  set(
    /** @type {string} */ key,
    /** @type {Uint8Array} */ value,
    /** @type {number} */ ttl,
    /** @type {readonly string[]} */ tags,
    /** @type {Call} */ call,
  ) {
    return this.#call('set', [key, value], call, { ttl, tags })
  }

  delete(/** @type {string} */ key, /** @type {Call} */ call) {
    return this.#call('delete', [key], call)
  }

  deleteByTag(/** @type {string} */ tag, /** @type {Call} */ call) {
    return this.#bulk('deleteByTag', [tag], call)
  }

  clear(/** @type {Call} */ call) {
    return this.#bulk('clear', [], call)
  }

  ping(/** @type {Call} */ call) {
    return this.#call('ping', [], call)
  }

  async close() {
    await this.#opened
    await this.#child.do('close', [this.#handle])
  }

  async *#bulk(
    /** @type {string} */ method,
    /** @type {unknown[]} */ args,
    /** @type {Call} */ call,
  ) {
    await this.#call(method, args, call)
    yield 0
  }

  /** @returns {Promise<any>} */
  #call(
    /** @type {string} */ method,
    /** @type {unknown[]} */ args,
    /** @type {Call} */ call,
    options = {},
  ) {
    return this.#child.do('call', [this.#handle, method, args, options], id =>
      call.onAbandon(() => void this.#child.do('abort', [id]).catch(() => {})),
    )
  }
}
