import type { Call } from '@l2/core'

interface Waiting<T = unknown> {
  readonly call: Call
  readonly send: () => Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

/** Calls of one key, all reads or all writes, that nothing came in between of. */
interface Group {
  readonly write: boolean
  /** How many have been sent and have no answer, of those that did not wait. */
  open: number
  readonly calls: Waiting[]
  /** Who waits for its end. */
  readonly onEnd: (() => void)[]
}

/** What is under way for one key: a group that has been sent, and those that wait for it. */
interface Lane {
  sent: Group
  readonly waiting: Group[]
}

/**
 * Keeps the calls of one adapter on one key in their order: while a write of a key has no answer, and
 * its connection is still there, no younger call of that key is sent. Nothing that is sent again
 * (a script that Redis has forgotten, a step that follows another) comes behind a younger call, and
 * no write that was given up undoes a younger one.
 *
 * Of writes that wait together only the last is sent, and what becomes of it becomes of all: none of
 * them could have been seen.
 */
export class CallQueue {
  readonly #lanes = new Map<string, Lane>()
  readonly #readsMove: boolean

  /** @param readsMove whether a read may be sent again, and so come behind what was sent after it. */
  constructor(readsMove = false) {
    this.#readsMove = readsMove
  }

  /** @param send runs at once where the key is free, and never once the call is abandoned. */
  read<T>(key: string, call: Call, send: () => Promise<T>): Promise<T> {
    const lane = this.#lanes.get(key)
    if (lane === undefined) {
      // A read that need not wait keeps nobody else waiting: one connection keeps the order.
      return this.#readsMove ? this.#open(key, false, send) : send()
    }
    const { sent, waiting } = lane
    if (sent.write || sent.open === 0 || waiting.length > 0) return join(lane, false, call, send)
    return this.#sendIn(sent, key, lane, send)
  }

  /** As {@link read}, and younger calls of the key wait for it. */
  write<T>(key: string, call: Call, send: () => Promise<T>): Promise<T> {
    const lane = this.#lanes.get(key)
    return lane === undefined ? this.#open(key, true, send) : join(lane, true, call, send)
  }

  /** Resolves when all calls made so far have their answers, or none will come. */
  async idle(): Promise<void> {
    const ends = [...this.#lanes.values()].map(
      ({ sent, waiting }) =>
        new Promise<void>(resolve => (waiting.at(-1) ?? sent).onEnd.push(resolve)),
    )
    await Promise.all(ends)
  }

  #open<T>(key: string, write: boolean, send: () => Promise<T>): Promise<T> {
    const lane: Lane = { sent: { write, open: 0, calls: [], onEnd: [] }, waiting: [] }
    const result = this.#sendIn(lane.sent, key, lane, send)
    this.#lanes.set(key, lane)
    return result
  }

  #sendIn<T>(group: Group, key: string, lane: Lane, send: () => Promise<T>): Promise<T> {
    const result = send()
    group.open++
    const end = (): void => {
      if (--group.open === 0) this.#next(key, lane)
    }
    result.then(end, end)
    return result
  }

  #next(key: string, lane: Lane): void {
    for (const onEnd of lane.sent.onEnd) onEnd()
    const group = lane.waiting.shift()
    if (group === undefined) {
      this.#lanes.delete(key)
      return
    }
    lane.sent = group
    const next = (): void => this.#next(key, lane)
    sendGroup(group).then(next, next)
  }
}

function join<T>(lane: Lane, write: boolean, call: Call, send: () => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let group = lane.waiting.at(-1)
    if (group?.write !== write) {
      group = { write, open: 0, calls: [], onEnd: [] }
      lane.waiting.push(group)
    }
    group.calls.push({ call, send, resolve, reject } as Waiting)
  })
}

/** Settles its calls. Those that were abandoned meanwhile are not sent: their caller has been told. */
async function sendGroup({ write, calls }: Group): Promise<void> {
  const wanted = calls.filter(({ call }) => !call.abandoned)
  const last = wanted.at(-1)
  if (last === undefined) return
  if (write) {
    try {
      const value = await last.send()
      for (const { resolve } of calls) resolve(value)
    } catch (error) {
      for (const { reject } of calls) reject(error)
    }
    return
  }
  await Promise.all(
    wanted.map(async ({ send, resolve, reject }) => {
      try {
        resolve(await send())
      } catch (error) {
        reject(error)
      }
    }),
  )
}
