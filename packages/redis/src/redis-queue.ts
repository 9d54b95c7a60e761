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

  /** @param send runs at once where the key is free, and never once the call is abandoned. */
  read<T>(key: string, call: Call, send: () => Promise<T>): Promise<T> {
    const lane = this.#lanes.get(key)
    // A read that need not wait keeps nobody else waiting: one connection keeps the order.
    return lane === undefined ? send() : join(lane, false, call, send)
  }

  /** As {@link read}, and younger calls of the key wait for it. */
  write<T>(key: string, call: Call, send: () => Promise<T>): Promise<T> {
    const lane = this.#lanes.get(key)
    if (lane !== undefined) return join(lane, true, call, send)
    const result = send()
    const opened: Lane = { sent: { write: true, calls: [], onEnd: [] }, waiting: [] }
    this.#lanes.set(key, opened)
    const next = (): void => this.#next(key, opened)
    result.then(next, next)
    return result
  }

  /** Resolves when all calls made so far have their answers, or none will come. */
  async idle(): Promise<void> {
    const ends = [...this.#lanes.values()].map(
      ({ sent, waiting }) =>
        new Promise<void>(resolve => (waiting.at(-1) ?? sent).onEnd.push(resolve)),
    )
    await Promise.all(ends)
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
      group = { write, calls: [], onEnd: [] }
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
