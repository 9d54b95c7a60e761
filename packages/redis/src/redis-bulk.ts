import type { Call } from '@l2/core'
import { BUCKETS, type Keyspace } from './redis-keys.js'
import { tagAndKey } from './redis-record.js'
import type { Node, Route } from './redis-route.js'
import { PRUNE, REMOVE, runScript } from './redis-scripts.js'

/** Keys in one step: about 1 ms of Redis's time (measured). */
const STEP = 64

/** Names that SCAN looks at in one step. */
const SCAN_COUNT = '500'

/** How long a bucket may be on its way to another node, in ms, before work does without it. */
const PATIENCE = 250

/** Members looked at in one go in the background; again where more than a quarter were not true. */
const SAMPLE = 16

/** Buckets looked at in one step of a sweep: together as many members as in any other. */
const BUCKETS_AT_ONCE = STEP / SAMPLE

/** The operations on many keys, in slices. */
export class RedisBulk {
  readonly #route: Route
  readonly #keys: Keyspace

  constructor(route: Route, keys: Keyspace) {
    this.#route = route
    this.#keys = keys
  }

  /** Removes what carries the tag, bucket by bucket; each yield is one round trip. */
  async *removeTagged(tag: string, call: Call): AsyncGenerator<number, void> {
    const first = await this.#all(BUCKETS, bucket =>
      this.#removeStep(bucket, tag, [], '[', '', call),
    )
    let found = first.flatMap(({ last, keys }, bucket) =>
      keys.length === 0 ? [] : [{ bucket, last, keys }],
    )
    yield 0
    while (found.length > 0) {
      const [now, later] = upTo(STEP, found)
      const steps = await Promise.all(
        now.map(async ({ bucket, last, keys }) => {
          const from = `(${keys.at(-1)}`
          return { bucket, ...(await this.#removeStep(bucket, tag, keys, from, last, call)) }
        }),
      )
      found = [...steps.filter(({ keys }) => keys.length > 0), ...later]
      yield sum(steps.map(({ removed }) => removed))
    }
  }

  /** Removes everything under the prefix. What carries tags is a miss from the first slice on. */
  async *removeAll(call: Call): AsyncGenerator<number, void> {
    await this.#all(BUCKETS, bucket => this.#unlink(bucket, this.#indexed(bucket, []), call))
    yield 0
    let before = await this.#route.layout(call)
    for (let sameAgain = false; ; ) {
      for (const node of before.nodes) yield* this.#removeAt(node, call)
      const after = await this.#route.layout(call)
      yield 0
      // What was on its way to a node that had been looked through by then would be left. As long as
      // nothing but that goes on, it is there at the next look.
      const same = after.name === before.name
      if (same && (sameAgain || !after.moving)) return
      sameAgain = same
      before = after
    }
  }

  /** Looks at every name in one Redis, and removes those that are ours. */
  async *#removeAt(node: Node, call: Call): AsyncGenerator<number, void> {
    let cursor = '0'
    do {
      const [next, names] = (await node.use(0, call, connection =>
        connection.send(call, 'scan', [cursor, 'MATCH', this.#keys.pattern, 'COUNT', SCAN_COUNT]),
      )) as [Buffer, Buffer[]]
      cursor = String(next)
      yield 0
      yield await this.#unlinkOurs(names.map(String), call)
    } while (cursor !== '0')
  }

  /** Removes all members that are not true. */
  async *prune(call: Call): AsyncGenerator<number, void> {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const index = this.#keys.index(bucket)
      let from: Buffer | string = '-'
      for (;;) {
        const members = (await this.#route.use(bucket, call, connection =>
          connection.send(call, 'zrangebylex', [index, from, '+', 'LIMIT', '0', String(STEP)]),
        )) as Buffer[]
        const last = members.at(-1)
        if (last === undefined && from !== '-') break
        yield 0
        // Without members too: a fence may have outlived an index that was evicted.
        await this.#pruneStep(bucket, members, call)
        yield 0
        if (last === undefined) break
        from = Buffer.concat([AFTER, last])
      }
    }
  }

  /**
   * Removes members that are not true until about three quarters are, by samples: what it costs does
   * not depend on how many there are. Looking keeps the indexes from being evicted as unused.
   */
  async *pruneSamples(call: Call): AsyncGenerator<number, void> {
    for (let first = 0; first < BUCKETS; first += BUCKETS_AT_ONCE) {
      let buckets = Array.from({ length: BUCKETS_AT_ONCE }, (_, i) => first + i)
      while (buckets.length > 0) {
        const untrue = await Promise.all(buckets.map(bucket => this.#pruneSample(bucket, call)))
        buckets = buckets.filter((_, i) => untrue[i])
        yield 0
      }
    }
  }

  async #removeStep(
    bucket: number,
    tag: string,
    keys: readonly string[],
    from: string,
    last: string,
    call: Call,
  ): Promise<{ readonly removed: number; readonly last: string; readonly keys: string[] }> {
    const args = [tag, this.#keys.keyStart(bucket), String(STEP), from, last]
    const [removed, until, ...next] = (await this.#route.use(bucket, call, (connection, moving) =>
      moving > PATIENCE
        ? this.#drop(bucket, call)
        : runScript(connection, call, REMOVE, this.#indexed(bucket, keys), args),
    )) as [number, Buffer?, ...Buffer[]]
    return { removed, last: String(until ?? ''), keys: next.map(String) }
  }

  /**
   * All entries with tags become misses, of which some would have to. The way out for a bucket that is
   * being moved: only commands with one key work.
   */
  async #drop(bucket: number, call: Call): Promise<[number]> {
    await this.#unlink(bucket, this.#indexed(bucket, []), call)
    return [0]
  }

  async #unlinkOurs(names: readonly string[], call: Call): Promise<number> {
    const ours = new Map<number, string[]>()
    for (const name of names) {
      const bucket = this.#keys.bucketOfName(name)
      if (bucket === undefined) continue
      const others = ours.get(bucket)
      if (others === undefined) ours.set(bucket, [name])
      else others.push(name)
    }
    // One command for each bucket: its names are of one slot.
    const removed = await Promise.all(
      [...ours].map(([bucket, some]) => this.#unlink(bucket, some, call)),
    )
    return sum(removed)
  }

  /** Removes what is called so, all of one bucket. */
  #unlink(bucket: number, names: string[], call: Call): Promise<number> {
    return this.#route.use(bucket, call, async (connection, moving) => {
      if (moving === 0) return Number(await connection.send(call, 'unlink', names))
      return sum(await Promise.all(names.map(name => this.#unlink(bucket, [name], call))))
    })
  }

  /** Whether many of the members that it looked at were not true. */
  async #pruneSample(bucket: number, call: Call): Promise<boolean> {
    const sample = (await this.#route.use(bucket, call, connection =>
      connection.send(call, 'zrandmember', [this.#keys.index(bucket), String(SAMPLE)]),
    )) as Buffer[]
    if (call.abandoned) return false
    return (await this.#pruneStep(bucket, sample, call)) > sample.length / 4
  }

  async #pruneStep(bucket: number, members: readonly Buffer[], call: Call): Promise<number> {
    const pairs = members.map(tagAndKey)
    const keys = this.#indexed(
      bucket,
      pairs.map(({ key }) => key),
    )
    const args = [this.#keys.keyStart(bucket), ...pairs.map(({ tag }) => tag)]
    return Number(
      await this.#route.use(bucket, call, (connection, moving) =>
        // Some other time: what it would remove does no harm.
        moving > PATIENCE ? Promise.resolve(0) : runScript(connection, call, PRUNE, keys, args),
      ),
    )
  }

  #indexed(bucket: number, keys: readonly string[]): string[] {
    return [
      this.#keys.fence(bucket),
      this.#keys.index(bucket),
      ...keys.map(key => this.#keys.record(bucket, key)),
    ]
  }

  #all<T>(count: number, work: (bucket: number) => Promise<T>): Promise<T[]> {
    return Promise.all(Array.from({ length: count }, (_, bucket) => work(bucket)))
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)

const AFTER = Buffer.from('(')

/** The first of `found`, with up to `most` keys and one at least, and the others. */
function upTo<T extends { readonly keys: readonly string[] }>(
  most: number,
  found: readonly T[],
): [T[], T[]] {
  let keys = 0
  let count = 0
  for (const one of found) {
    keys += one.keys.length
    if (count > 0 && keys > most) break
    count++
  }
  return [found.slice(0, count), found.slice(count)]
}
