import type { CallOptions } from '../../src/adapter.js'
import type { AdapterOptions, ResolvedAdapterOptions } from '../../src/adapter-options.js'
import type { Backend, Call } from '../../src/backend.js'
import { GuardedAdapter } from '../../src/guarded-adapter.js'
import type { Mutant } from './mutant.js'
import { ALIVE, TwinBackend } from './twin.js'

export const faults: readonly Mutant[] = [
  {
    mistake: 'a failed read is a miss',
    seenIn: '@keyv/etcd, cache-manager',
    rule: 'Miss',
    caughtBy: 'cut.get-is-no-miss',
    Backend: class extends TwinBackend {
      override get(key: string, call: Call): Promise<Uint8Array | undefined> {
        return super.get(key, call).catch(() => undefined)
      }
    },
  },
  {
    mistake: 'a failed set is reported as done',
    seenIn: 'cache-manager',
    rule: 'Misuse',
    caughtBy: 'cut.writes-fail',
    Backend: class extends TwinBackend {
      override set(...args: Parameters<TwinBackend['set']>): Promise<void> {
        return super.set(...args).catch(() => {})
      }
    },
  },
  {
    mistake: 'a failed invalidation is reported as done',
    seenIn: 'nextjs-turbo-redis-cache',
    rule: 'Misuse',
    caughtBy: 'cut.invalidations-fail',
    Backend: class extends TwinBackend {
      override async *deleteByTag(tag: string, call: Call): AsyncGenerator<number> {
        try {
          yield* super.deleteByTag(tag, call)
        } catch {}
      }
    },
  },
  {
    mistake: 'ping asks nobody',
    rule: 'ping',
    caughtBy: 'cut.ping-fails',
    Backend: class extends TwinBackend {
      override async ping(): Promise<void> {}
    },
  },
  {
    mistake: 'the values of a failed set are told in its error',
    seenIn: 'ioredis, in the arguments of a command',
    rule: 'Misuse',
    caughtBy: 'cut.no-values-in-errors',
    Backend: class extends TwinBackend {
      override set(...args: Parameters<TwinBackend['set']>): Promise<void> {
        return super.set(...args).catch(() => {
          throw new Error(`SET failed: ${Buffer.from(args[1]).toString()}`)
        })
      }
    },
  },
  {
    mistake: 'calls that failed while offline are sent again later',
    seenIn: 'ioredis, with its offline queue',
    rule: 'Never hang',
    caughtBy: 'cut.nothing-is-sent-later',
    Backend: class extends TwinBackend {
      override async set(...args: Parameters<TwinBackend['set']>): Promise<void> {
        try {
          await super.set(...args)
        } catch (error) {
          const [key, value, ttl, tags] = args
          const again = (tries: number): void => {
            if (tries > 0)
              setTimeout(() => {
                super.set(key, value, ttl, tags, ALIVE).catch(() => again(tries - 1))
              }, 40)
          }
          again(20)
          throw error
        }
      }
    },
  },
  {
    mistake: 'a write that was given up is carried out when the backend answers again',
    seenIn: 'ioredis, with its resends',
    rule: 'Never hang',
    caughtBy: 'stall.no-write-comes-back',
    Backend: class extends TwinBackend {
      override async set(
        key: string,
        value: Uint8Array,
        ttl: number,
        tags: readonly string[],
        call: Call,
      ): Promise<void> {
        call.onAbandon(() => {
          setTimeout(() => super.set(key, value, ttl, tags, ALIVE).catch(() => {}), 60)
        })
        return super.set(key, value, ttl, tags, call)
      }
    },
  },
  {
    mistake: 'there is no deadline',
    seenIn: '@keyv/redis, cache-manager, unstorage',
    rule: 'Never hang',
    caughtBy: 'stall.deadline',
    Adapter: class extends GuardedAdapter {
      constructor(options: AdapterOptions, open: (options: ResolvedAdapterOptions) => Backend) {
        super({ ...options, timeout: 0 }, open)
      }
    },
  },
  {
    mistake: 'signals are looked at before the call only',
    rule: 'Never hang',
    caughtBy: 'stall.abort',
    Adapter: class extends GuardedAdapter {
      override get(
        key: string,
        options?: CallOptions,
      ): Promise<Uint8Array<ArrayBuffer> | undefined> {
        const { signal } = options ?? {}
        return super.get(key, signal?.aborted === false ? {} : options)
      }
    },
  },
  {
    mistake: 'after a failure the connection is never made again',
    seenIn: 'next-shared-cache',
    rule: 'What a crash may cost',
    caughtBy: 'cut.recovers',
    Backend: class extends TwinBackend {
      #lost: unknown
      override async get(key: string, call: Call): Promise<Uint8Array | undefined> {
        if (this.#lost !== undefined) throw this.#lost
        try {
          return await super.get(key, call)
        } catch (error) {
          this.#lost = error
          throw error
        }
      }
    },
  },
  {
    mistake: 'close waits for a backend that never answers',
    rule: 'Never hang',
    caughtBy: 'stall.close',
    Adapter: class extends GuardedAdapter {
      override async close(): Promise<void> {
        let alive = true
        while (alive) {
          alive = await this.ping().then(
            () => false,
            error => error.code === 'L2_TIMEOUT',
          )
        }
        await super.close()
      }
    },
  },
]
