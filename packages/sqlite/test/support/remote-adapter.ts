import { type AdapterOptions, type Backend, type Call, GuardedAdapter, type Slices } from '@l2/core'
import type { Child } from './child.js'

let lastHandle = 0

/** An adapter whose work a `SqliteAdapter` in another process does. */
export class RemoteAdapter extends GuardedAdapter {
  constructor(child: Child, options: AdapterOptions & { path: string }) {
    super(options, () => new RemoteBackend(child, options))
  }
}

class RemoteBackend implements Backend {
  readonly #child: Child
  readonly #handle = ++lastHandle
  readonly #opened: Promise<void>

  constructor(child: Child, options: object) {
    this.#child = child
    // Messages arrive in order, so calls need not wait for the answer.
    this.#opened = child.do('open', [this.#handle, options])
    this.#opened.catch(() => {})
  }

  get(key: string, call: Call): Promise<Uint8Array | undefined> {
    return this.#call('get', [key], call)
  }

  set(
    key: string,
    value: Uint8Array,
    ttl: number,
    tags: readonly string[],
    call: Call,
  ): Promise<void> {
    return this.#call('set', [key, value], call, { ttl, tags })
  }

  delete(key: string, call: Call): Promise<void> {
    return this.#call('delete', [key], call)
  }

  deleteByTag(tag: string, call: Call): Slices {
    return this.#bulk('deleteByTag', [tag], call)
  }

  clear(call: Call): Slices {
    return this.#bulk('clear', [], call)
  }

  ping(call: Call): Promise<void> {
    return this.#call('ping', [], call)
  }

  async close(): Promise<void> {
    await this.#opened
    await this.#child.do('close', [this.#handle])
  }

  async *#bulk(method: string, args: unknown[], call: Call): AsyncGenerator<number, void> {
    await this.#call(method, args, call)
    yield 0
  }

  #call<T>(method: string, args: unknown[], call: Call, options = {}): Promise<T> {
    return this.#child.do('call', [this.#handle, method, args, options], id =>
      call.onAbandon(() => void this.#child.do('abort', [id]).catch(() => {})),
    )
  }
}
