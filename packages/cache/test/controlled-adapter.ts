import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Adapter, CallOptions, Capabilities, SetOptions } from '@l2/core'

export type Operation = 'get' | 'set' | 'delete' | 'deleteByTag' | 'clear' | 'ping'

/** A promise that the test settles. */
export class Deferred<T = void> {
  resolve!: (value: T) => void
  reject!: (error: unknown) => void
  readonly promise = new Promise<T>((resolve, reject) => {
    this.resolve = resolve
    this.reject = reject
  })
}

/** One call that a test holds. */
export class Gate {
  readonly #reached = new Deferred()
  readonly #opened = new Deferred()
  /** Resolves when the call has come this far. */
  readonly reached = this.#reached.promise

  open(): void {
    this.#opened.resolve()
  }

  fail(error: unknown): void {
    this.#opened.reject(error)
  }

  pass(): Promise<void> {
    this.#reached.resolve()
    return this.#opened.promise
  }
}

/** An adapter in front of another whose calls a test holds, before they take effect or after. */
export class ControlledAdapter implements Adapter {
  readonly calls: Operation[] = []
  /** What the next calls fail with, each once. */
  readonly failures = new Map<Operation, unknown>()
  readonly #inner: Adapter
  readonly #before = new Map<Operation, Gate>()
  readonly #after = new Map<Operation, Gate>()
  readonly capabilities: Capabilities

  constructor(inner: Adapter, capabilities: Capabilities = {}) {
    this.#inner = inner
    this.capabilities = capabilities
  }

  /** Holds the next call of `operation` before it reaches the backend. */
  holdBefore(operation: Operation): Gate {
    const gate = new Gate()
    this.#before.set(operation, gate)
    return gate
  }

  /** Holds the answer to the next call of `operation`, which has taken effect by then. */
  holdAfter(operation: Operation): Gate {
    const gate = new Gate()
    this.#after.set(operation, gate)
    return gate
  }

  get(key: string, options?: CallOptions): Promise<Uint8Array | undefined> {
    return this.#pass('get', options?.signal, () => this.#inner.get(key, options))
  }

  set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    return this.#pass('set', options?.signal, () => this.#inner.set(key, value, options))
  }

  delete(key: string, options?: CallOptions): Promise<void> {
    return this.#pass('delete', options?.signal, () => this.#inner.delete(key, options))
  }

  deleteByTag(tag: string, options?: CallOptions): Promise<void> {
    return this.#pass('deleteByTag', options?.signal, () => this.#inner.deleteByTag(tag, options))
  }

  clear(options?: CallOptions): Promise<void> {
    return this.#pass('clear', options?.signal, () => this.#inner.clear(options))
  }

  ping(options?: CallOptions): Promise<void> {
    return this.#pass('ping', options?.signal, () => this.#inner.ping(options))
  }

  async #pass<T>(
    operation: Operation,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    this.calls.push(operation)
    if (this.failures.has(operation)) {
      const failure = this.failures.get(operation)
      this.failures.delete(operation)
      throw failure
    }
    const before = take(this.#before, operation)
    const after = take(this.#after, operation)
    if (before !== undefined) await untilAborted(before.pass(), signal)
    const result = await work()
    if (after !== undefined) await untilAborted(after.pass(), signal)
    return result
  }
}

/** Lets everything that can go on by itself do so. */
export async function quiet(): Promise<void> {
  for (let i = 0; i < 5; i++) await nextTurn()
}

function take(gates: Map<Operation, Gate>, operation: Operation): Gate | undefined {
  const gate = gates.get(operation)
  gates.delete(operation)
  return gate
}

function untilAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
    work.then(resolve, reject)
  })
}
