import type { CallOptions, SetOptions } from '../../src/adapter.js'
import { isL2Error, L2Error } from '../../src/errors.js'
import { GuardedAdapter } from '../../src/guarded-adapter.js'
import type { Mutant } from './mutant.js'

type Bytes = Uint8Array<ArrayBuffer> | undefined

export const misuse: readonly Mutant[] = [
  {
    mistake: 'a negative ttl is taken for none',
    rule: 'Expiry',
    caughtBy: 'misuse.ttl-range',
    Adapter: class extends GuardedAdapter {
      override set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
        const { ttl } = options ?? {}
        return super.set(
          key,
          value,
          typeof ttl === 'number' && ttl < 0 ? { ...options, ttl: 0 } : options,
        )
      }
    },
  },
  {
    mistake: 'a refused set has removed the entry before it',
    rule: 'Misuse',
    caughtBy: 'misuse.value',
    Adapter: class extends GuardedAdapter {
      override async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
        try {
          await super.set(key, value, options)
        } catch (error) {
          await super.delete(key).catch(() => {})
          throw error
        }
      }
    },
  },
  {
    mistake: 'text is stored as a value, though get gives bytes',
    rule: 'Misuse',
    caughtBy: 'misuse.value',
    Adapter: class extends GuardedAdapter {
      override set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
        return super.set(key, typeof value === 'string' ? Buffer.from(value) : value, options)
      }
    },
  },
  {
    mistake: 'a ttl as text is turned into a number',
    rule: 'Misuse',
    caughtBy: 'misuse.ttl-type',
    Adapter: class extends GuardedAdapter {
      override set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
        const ttl = options?.ttl as unknown
        return super.set(
          key,
          value,
          typeof ttl === 'string' ? { ...options, ttl: Number(ttl) } : options,
        )
      }
    },
  },
  {
    mistake: 'one tag as text is taken for a list of its characters',
    rule: 'Misuse',
    caughtBy: 'misuse.tags-type',
    Adapter: class extends GuardedAdapter {
      override set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
        const tags = options?.tags as unknown
        return super.set(
          key,
          value,
          typeof tags === 'string' ? { ...options, tags: [...tags] } : options,
        )
      }
    },
  },
  {
    mistake: 'a signal that is none is not noticed',
    rule: 'Misuse',
    caughtBy: 'misuse.signal-type',
    Adapter: class extends GuardedAdapter {
      override set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
        const valid = options?.signal instanceof AbortSignal
        return super.set(
          key,
          value,
          options && !valid ? { ...options, signal: undefined } : options,
        )
      }
    },
  },
  {
    mistake: 'a signal that is none is not noticed by other operations than set',
    rule: 'Misuse',
    caughtBy: 'misuse.every-operation',
    Adapter: class extends GuardedAdapter {
      override ping(options?: CallOptions): Promise<void> {
        return super.ping(options?.signal instanceof AbortSignal ? options : {})
      }
    },
  },
  {
    mistake: 'options that are null pass for none',
    rule: 'Misuse',
    caughtBy: 'misuse.options-type',
    Adapter: class extends GuardedAdapter {
      override set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
        return super.set(key, value, options ?? {})
      }
    },
  },
  {
    mistake: 'options are read when the call is carried out, not when it is made',
    rule: 'Misuse',
    caughtBy: 'misuse.options-read-at-once',
    Adapter: class extends GuardedAdapter {
      override async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
        const copy = value instanceof Uint8Array ? value.slice() : value
        const { tags, ttl } = options ?? {}
        const held = Array.isArray(tags) ? tags : undefined
        const call = super.set(key, copy, options)
        await call
        if (held === undefined || held.some(tag => typeof tag !== 'string')) return
        await super.set(key, copy, { ...options, ttl, tags: held })
      }
    },
  },
  {
    mistake: 'a bad argument is thrown, not rejected',
    rule: 'Misuse',
    caughtBy: 'misuse.value',
    Adapter: class extends GuardedAdapter {
      override set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
        if (!(value instanceof Uint8Array)) throw new TypeError('value must be a Uint8Array')
        return super.set(key, value, options)
      }
    },
  },
  {
    mistake: 'writes resolve with what the driver answered',
    rule: 'Misuse',
    caughtBy: 'idempotence.nothing-to-say',
    Adapter: class extends GuardedAdapter {
      override async delete(key: string, options?: CallOptions): Promise<void> {
        await super.delete(key, options)
        return true as unknown as undefined
      }
    },
  },
  {
    mistake: 'deleting what is not there is an error',
    rule: 'Miss',
    caughtBy: 'idempotence.delete',
    Adapter: class extends GuardedAdapter {
      override async delete(key: string, options?: CallOptions): Promise<void> {
        if (typeof key === 'string' && (await super.get(key, options)) === undefined)
          throw new L2Error('L2_UNAVAILABLE', 'nothing deleted')
        return super.delete(key, options)
      }
    },
  },
  {
    mistake: 'an aborted signal is noticed after the work is done',
    rule: 'Never hang',
    caughtBy: 'abort.before',
    Adapter: class extends GuardedAdapter {
      override async delete(key: string, options?: CallOptions): Promise<void> {
        await super.delete(key, options?.signal?.aborted ? {} : options)
        options?.signal?.throwIfAborted()
      }
    },
  },
  {
    mistake: 'abort rejects with an AbortError of its own',
    rule: 'Never hang',
    caughtBy: 'abort.before',
    Adapter: class extends GuardedAdapter {
      override async get(key: string, options?: CallOptions): Promise<Bytes> {
        if (!this.closed && options?.signal instanceof AbortSignal && options.signal.aborted)
          throw new DOMException('This operation was aborted', 'AbortError')
        return super.get(key, options)
      }
      closed = false
      override close(): Promise<void> {
        this.closed = true
        return super.close()
      }
    },
  },
  {
    mistake: 'an abort fails the others of the same turn',
    rule: 'Never hang',
    caughtBy: 'abort.beside-others',
    Adapter: class extends GuardedAdapter {
      #shared = new AbortController()
      override set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
        const { signal } = this.#shared
        const own = options?.signal
        if (own instanceof AbortSignal && !own.aborted)
          own.addEventListener('abort', () => this.#shared.abort(own.reason), { once: true })
        setImmediate(() => {
          this.#shared = new AbortController()
        })
        const valid = options === undefined || (typeof options === 'object' && options !== null)
        return super.set(key, value, valid && own === undefined ? { ...options, signal } : options)
      }
    },
  },
  {
    mistake: 'each call adds a listener to the signal',
    rule: 'Never hang',
    caughtBy: 'abort.one-signal-for-many',
    Adapter: class extends GuardedAdapter {
      override get(key: string, options?: CallOptions): Promise<Bytes> {
        if (options?.signal instanceof AbortSignal)
          options.signal.addEventListener('abort', () => void this, { once: true })
        return super.get(key, options)
      }
    },
  },
  {
    mistake: 'calls after close are answered from what is still open',
    rule: 'Misuse',
    caughtBy: 'close.later-calls',
    Adapter: class extends GuardedAdapter {
      override async ping(options?: CallOptions): Promise<void> {
        await super.ping(options).catch(error => {
          if (!isL2Error(error) || error.code !== 'L2_CLOSED') throw error
        })
      }
    },
  },
  {
    mistake: 'calls are taken until close is done',
    rule: 'Misuse',
    caughtBy: 'close.at-once',
    Adapter: class extends GuardedAdapter {
      override async close(): Promise<void> {
        await null
        return super.close()
      }
    },
  },
  {
    mistake: 'closing twice is an error',
    rule: 'Misuse',
    caughtBy: 'close.twice',
    Adapter: class extends GuardedAdapter {
      #closed = false
      override async close(): Promise<void> {
        if (this.#closed) throw new L2Error('L2_CLOSED', 'closed already')
        this.#closed = true
        return super.close()
      }
    },
  },
  {
    mistake: 'whether it is closed is looked at before the arguments',
    rule: 'Misuse',
    caughtBy: 'close.order-of-checks',
    Adapter: class extends GuardedAdapter {
      #closed = false
      override async get(key: string, options?: CallOptions): Promise<Bytes> {
        if (this.#closed) throw new L2Error('L2_CLOSED', 'closed')
        return super.get(key, options)
      }
      override close(): Promise<void> {
        this.#closed = true
        return super.close()
      }
    },
  },
  {
    mistake: 'clear with an empty prefix is carried out',
    rule: 'Isolation',
    caughtBy: 'isolation.clear-needs-a-prefix',
    Adapter: class extends GuardedAdapter {
      override async clear(options?: CallOptions): Promise<void> {
        await super.clear(options).catch(error => {
          if (!isL2Error(error) || error.code !== 'L2_PREFIX_REQUIRED') throw error
        })
      }
    },
  },
]
