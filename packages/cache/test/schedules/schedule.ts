import { type Adapter, isL2Error } from '@l2/core'
import { Cache, type CacheStats, type SetOptions } from '../../src/index.js'
import { Scheduler } from './scheduler.js'
import { SimulatedL2 } from './simulated-l2.js'

const KEYS = ['a', 'b', 'c'] as const
const STEPS = 16

const FACTORY_FAILED = new Error('the factory failed')
const GIVEN_UP = new Error('the caller gave up')

const tagOf = (key: string): string => (key === 'c' ? 'u' : 't')

/** What may go wrong in a run without anything being wrong. */
function isExpected(error: unknown): boolean {
  return error === FACTORY_FAILED || error === GIVEN_UP || isL2Error(error)
}

/**
 * Runs one random schedule of calls to a cache. The truth of a key is a number that only grows. What
 * changes it invalidates the key in some way; once that is acknowledged, no call that begins later may
 * return an older number.
 *
 * @throws Error with the seed and all that happened, where one does.
 */
export async function runSchedule(seed: number): Promise<CacheStats> {
  const scheduler = new Scheduler(seed)
  const uninstall = scheduler.install()
  try {
    return await new Schedule(seed, scheduler).run()
  } finally {
    uninstall()
  }
}

class Schedule {
  readonly #seed: number
  readonly #scheduler: Scheduler
  readonly #cache: Cache
  /** Whether factories fail, and stale values stand in for them. An expire then takes nothing away. */
  readonly #failSafe: boolean
  /** Of a background write that L2 does not get nobody is told: then it must get all. */
  readonly #backgroundSets: boolean
  readonly #truth = new Map<string, number>(KEYS.map(key => [key, 0]))
  readonly #acknowledged = new Map<string, number>(KEYS.map(key => [key, 0]))
  readonly #log: (() => string)[] = []
  #running = 0
  #failure: unknown

  constructor(seed: number, scheduler: Scheduler) {
    this.#seed = seed
    this.#scheduler = scheduler
    this.#failSafe = scheduler.in(2)
    const l2Fails = scheduler.in(4)
    this.#backgroundSets = !l2Fails && scheduler.in(2)
    const l2: Adapter | undefined = scheduler.in(8)
      ? undefined
      : new SimulatedL2(scheduler, l2Fails)
    this.#cache = new Cache({
      l2,
      // Without L2 either there would be nothing to look at.
      l1: l2 !== undefined && scheduler.in(4) ? false : { maxEntries: 1 + scheduler.pick(3) },
      defaults: { l2Timeouts: { soft: 1 + scheduler.pick(50) } },
      breaker: this.#backgroundSets
        ? false
        : { threshold: 1 + scheduler.pick(4), probeInterval: 20 },
    })
  }

  async run(): Promise<CacheStats> {
    const scheduler = this.#scheduler
    for (let left = STEPS; left > 0 || this.#running > 0; ) {
      if (this.#failure !== undefined) throw this.#failure
      if (left > 0 && (this.#running === 0 || (this.#running < 6 && scheduler.pick(10) < 4))) {
        left--
        this.#running++
        void this.#step()
          .catch((error: unknown) => {
            if (!isExpected(error)) this.#failure ??= error
          })
          .finally(() => this.#running--)
      } else scheduler.advance()
      // Mostly until nothing goes on by itself, sometimes not so far.
      for (let turns = scheduler.in(4) ? scheduler.pick(8) : 16; turns > 0; turns--) await undefined
    }
    if (this.#failure !== undefined) throw this.#failure
    return this.#cache.stats()
  }

  #step(): Promise<unknown> {
    const scheduler = this.#scheduler
    const cache = this.#cache
    const key = KEYS[scheduler.pick(KEYS.length)] as string
    const tag = tagOf(key)
    const tagged = KEYS.filter(other => tagOf(other) === tag)
    switch (scheduler.pick(28)) {
      case 0:
      case 1:
        return this.#change('delete', [key], () => cache.delete(key))
      case 2:
      case 3:
        return this.#change('deleteByTag', tagged, () => cache.deleteByTag(tag))
      case 4:
        return this.#change('clear', KEYS, () => cache.clear())
      case 5:
        return this.#change('set', [key], () =>
          cache.set(key, this.#truth.get(key), {
            ...this.#entryOptions([tag]),
            backgroundL2Writes: this.#backgroundSets && scheduler.in(2),
          }),
        )
      case 6:
      case 13:
      case 14:
        return this.#expire(key)
      case 7:
        return cache.clear({ l2: false })
      case 8:
      case 9:
      case 10:
        return this.#look('get', key, () => cache.get(key))
      case 11:
      case 12:
        return this.#lookMany(tagged)
      default:
        return this.#look('getOrSet', key, () => this.#getOrSet(key, tag))
    }
  }

  async #getOrSet(key: string, tag: string): Promise<unknown> {
    const scheduler = this.#scheduler
    const controller = scheduler.in(8) ? new AbortController() : undefined
    if (controller !== undefined) void scheduler.pause().then(() => controller.abort(GIVEN_UP))
    // In some calls only the factory knows the tags.
    const late = scheduler.in(3)
    const options: SetOptions = {
      ...this.#entryOptions(late ? [] : [tag]),
      backgroundL2Writes: scheduler.in(4),
      skipL1Read: scheduler.in(10),
      skipL1Write: scheduler.in(10),
      skipL2Read: scheduler.in(10),
      lockTimeout: scheduler.in(8) ? 1 + scheduler.pick(20) : 0,
      factoryTimeouts: {
        soft: scheduler.in(3) ? 1 + scheduler.pick(20) : 0,
        hard: scheduler.in(8) ? 1 + scheduler.pick(40) : 0,
      },
      signal: controller?.signal,
    }
    return this.#cache.getOrSet(
      key,
      async context => {
        const version = this.#truth.get(key) as number
        this.#log.push(() => `factory of ${key} makes ${version}`)
        await scheduler.pause()
        if (late) context.tags = [tag]
        return this.#made(version)
      },
      options,
    )
  }

  async #lookMany(keys: readonly string[]): Promise<void> {
    const least = keys.map(key => this.#acknowledged.get(key) as number)
    this.#log.push(() => `getOrSetMany ${keys} begins, at least ${least}`)
    const values = await this.#cache.getOrSetMany(
      keys,
      async missing => {
        const versions = missing.map(key => [key, this.#truth.get(key) as number] as const)
        this.#log.push(() => `factory makes ${JSON.stringify(versions)}`)
        await this.#scheduler.pause()
        this.#made(0)
        return versions
      },
      this.#entryOptions(keys.map(tagOf).slice(0, 1)),
    )
    for (const [i, key] of keys.entries())
      this.#check('getOrSetMany', key, values.get(key), least[i] as number)
  }

  #entryOptions(tags: string[]): SetOptions {
    const scheduler = this.#scheduler
    return {
      tags,
      failSafe: this.#failSafe,
      ttl: scheduler.in(2) ? 0 : 1 + scheduler.pick(100),
      eagerRefresh: scheduler.in(2) ? 0.3 : false,
    }
  }

  #made(version: number): number {
    if (this.#failSafe && this.#scheduler.in(2)) throw FACTORY_FAILED
    return version
  }

  #expire(key: string): Promise<void> {
    if (!this.#failSafe) return this.#change('expire', [key], () => this.#cache.expire(key))
    this.#log.push(() => `expire ${key}`)
    return this.#cache.expire(key)
  }

  async #change(name: string, keys: readonly string[], how: () => Promise<void>): Promise<void> {
    for (const key of keys) this.#truth.set(key, (this.#truth.get(key) as number) + 1)
    const now = keys.map(key => [key, this.#truth.get(key) as number] as const)
    this.#log.push(() => `${name} makes ${JSON.stringify(now)}`)
    await how()
    this.#log.push(() => `${name} acknowledged ${JSON.stringify(now)}`)
    for (const [key, version] of now)
      this.#acknowledged.set(key, Math.max(version, this.#acknowledged.get(key) as number))
  }

  async #look(name: string, key: string, how: () => Promise<unknown>): Promise<void> {
    const least = this.#acknowledged.get(key) as number
    this.#log.push(() => `${name} ${key} begins, at least ${least}`)
    this.#check(name, key, await how(), least)
  }

  #check(name: string, key: string, value: unknown, least: number): void {
    this.#log.push(() => `${name} ${key} returns ${value}`)
    if (typeof value !== 'number' || value >= least) return
    throw new Error(
      `L2_SEED=${this.#seed}: ${name} ${key} is ${value} < ${least}\n${this.#log.map(line => line()).join('\n')}`,
    )
  }
}
