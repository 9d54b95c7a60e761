import type { Call } from '@l2/core'
import { ReplyError } from 'ioredis'

/** Sends what a call asks for, on behalf of it or of what stands for it. */
type Send<T> = (call: Call) => Promise<T>

interface Waiting<T = unknown> {
  readonly call: Call
  readonly send: Send<T>
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
 * Of writes that wait together only the last is sent, and once it is done all are: none of the others
 * could have been seen. Where Redis refuses it, or its caller gave it up, that is no matter of the
 * others: the one before it is sent in its place, and so on.
 */
export class CallQueue {
  readonly #lanes = new Map<string, Lane>()
  readonly #readsMove: boolean

  /** @param readsMove whether a read may be sent again, and so come behind what was sent after it. */
  constructor(readsMove = false) {
    this.#readsMove = readsMove
  }

  /** @param send runs at once where the key is free, and never once the call is abandoned. */
  read<T>(key: string, call: Call, send: Send<T>): Promise<T> {
    const lane = this.#lanes.get(key)
    if (lane === undefined) {
      // A read that need not wait keeps nobody else waiting: one connection keeps the order.
      return this.#readsMove ? this.#open(key, false, call, send) : send(call)
    }
    const { sent, waiting } = lane
    if (sent.write || sent.open === 0 || waiting.length > 0) return join(lane, false, call, send)
    return this.#sendIn(sent, key, lane, call, send)
  }

  /** As {@link read}, and younger calls of the key wait for it. */
  write<T>(key: string, call: Call, send: Send<T>): Promise<T> {
    const lane = this.#lanes.get(key)
    return lane === undefined ? this.#open(key, true, call, send) : join(lane, true, call, send)
  }

  /** Resolves when all calls made so far have their answers, or none will come. */
  async idle(): Promise<void> {
    const ends = [...this.#lanes.values()].map(
      ({ sent, waiting }) =>
        new Promise<void>(resolve => (waiting.at(-1) ?? sent).onEnd.push(resolve)),
    )
    await Promise.all(ends)
  }

  #open<T>(key: string, write: boolean, call: Call, send: Send<T>): Promise<T> {
    const lane: Lane = { sent: { write, open: 0, calls: [], onEnd: [] }, waiting: [] }
    const result = this.#sendIn(lane.sent, key, lane, call, send)
    this.#lanes.set(key, lane)
    return result
  }

  #sendIn<T>(group: Group, key: string, lane: Lane, call: Call, send: Send<T>): Promise<T> {
    const result = send(call)
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

function join<T>(lane: Lane, write: boolean, call: Call, send: Send<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let group = lane.waiting.at(-1)
    if (group?.write !== write) {
      group = { write, open: 0, calls: [], onEnd: [] }
      lane.waiting.push(group)
    }
    group.calls.push({ call, send, resolve, reject } as Waiting)
  })
}

/** Those that were abandoned meanwhile are not sent: their caller has been told. */
async function sendGroup({ write, calls }: Group): Promise<void> {
  if (write) return sendLast(calls)
  await Promise.all(
    calls.map(async ({ call, send, resolve, reject }) => {
      if (call.abandoned) return
      try {
        resolve(await send(call))
      } catch (error) {
        reject(error)
      }
    }),
  )
}

/** Takes from the end until one is done, for all before it. */
async function sendLast(calls: Waiting[]): Promise<void> {
  for (let last = calls.pop(); last !== undefined; last = calls.pop()) {
    if (last.call.abandoned) continue
    const traced = new TracedCall(last.call)
    try {
      const value = await last.send(traced)
      for (const { resolve } of [last, ...calls]) resolve(value)
      return
    } catch (error) {
      last.reject(error)
      // Redis has answered, so that nothing of it comes later; or it was not sent (again) because it
      // was abandoned. What was lost with the connection may have taken effect, and where there is no
      // connection, each of the others would try to make one.
      if ((traced.sent && error instanceof ReplyError) || last.call.abandoned) continue
      for (const { reject } of calls) reject(error)
      return
    }
  }
}

/** A call, and whether anything was sent on its behalf: a connection listens then. */
class TracedCall implements Call {
  sent = false
  readonly #call: Call

  constructor(call: Call) {
    this.#call = call
  }

  get abandoned(): boolean {
    return this.#call.abandoned
  }

  get background(): boolean {
    return this.#call.background
  }

  onAbandon(listener: () => void): void {
    this.sent = true
    this.#call.onAbandon(listener)
  }
}
