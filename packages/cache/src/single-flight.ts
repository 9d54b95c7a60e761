import { onAbort } from '@l2/core'

/** How a caller may leave a flight before its end. */
export interface Exits<T> {
  /** Lets this caller alone give up, at once and with `signal.reason`. */
  readonly signal?: AbortSignal | undefined
  /** From when the caller joined. */
  readonly waiting?: Exit<T> | undefined
  /** From when both the caller had joined and the slow part had begun, until that is over. */
  readonly slow?: readonly Exit<T>[]
}

/** A time after which a caller gets something else. */
interface Exit<T> {
  /** ms; 0 = never. */
  readonly after: number
  /** What the caller gets; nothing where he is to go on waiting. What it throws he gets too. */
  readonly take: () => { readonly value: T | PromiseLike<T> } | undefined
}

/** Whose work it is. */
export interface Abandonable {
  /** The last caller has given up: nobody will see the result. Called once. */
  abandoned(): void
}

/**
 * Work that several callers wait for. Each may leave without failing the others; once all have given
 * up, the work itself is told to stop.
 */
export class Flight<T> {
  #result: Promise<T> | undefined
  /** Callers that have neither been answered nor left. */
  #callers = 0
  /** Whether the result is wanted though nobody waits for it. */
  #kept = false
  #released: { readonly reason: unknown } | undefined
  #controller: AbortController | undefined
  #work: Abandonable | undefined
  #reason: unknown
  #isSlow = false
  /** Of callers that wait with exits. */
  #clocks: Set<Clock<T>> | undefined

  constructor(work: Abandonable) {
    this.#work = work
  }

  /** Aborts when every caller has given up. Made when first asked for: few factories look at it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.abandoned) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** Whether every caller has given up. */
  get abandoned(): boolean {
    return this.#work === undefined
  }

  /** The work has begun. Its first caller joins next, or nobody: see {@link keep}. */
  started(result: Promise<T>): void {
    this.#result = result
  }

  /** Has the work, which has begun, done whether anybody waits for it or not, until {@link release}. */
  keep(): void {
    this.#kept = true
    this.#result?.catch(() => {})
  }

  /** From now on nobody needs what nobody waits for. */
  release(reason: unknown): void {
    this.#released = { reason }
    if (this.#callers === 0) this.#giveUp(reason)
  }

  /** The slow part begins. */
  slow(): void {
    this.#isSlow = true
    if (this.#clocks !== undefined) for (const clock of this.#clocks) clock.start()
  }

  /** It is over. */
  fast(): void {
    this.#isSlow = false
    if (this.#clocks !== undefined) for (const clock of this.#clocks) clock.stop()
  }

  /** The result, for one more caller. */
  join(exits?: Exits<T>): Promise<T> {
    const result = this.#result
    // Asked for by the work itself while it was being started.
    if (result === undefined) return Promise.resolve().then(() => this.join(exits))
    this.#callers++
    return exits === undefined ? result : this.#joinUntil(exits, result)
  }

  #joinUntil({ signal, waiting, slow = [] }: Exits<T>, result: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let hasLeft = false
      let forget: (() => void) | undefined
      const leave = (): boolean => {
        if (hasLeft) return false
        hasLeft = true
        this.#callers--
        forget?.()
        whole.stop()
        part.stop()
        this.#clocks?.delete(part)
        return true
      }
      const take = ({ take }: Exit<T>): void => {
        try {
          const taken = take()
          if (taken === undefined) return
          resolve(taken.value)
        } catch (error) {
          reject(error)
        }
        if (leave()) this.#left()
      }
      const whole = new Clock(waiting === undefined ? [] : [waiting], take)
      const part = new Clock(slow, take)
      const giveUp = (): void => {
        reject(signal?.reason)
        if (!leave() || this.#callers > 0) return
        if (!this.#kept || this.#released !== undefined) this.#giveUp(signal?.reason)
      }
      const settle = (): void => {
        leave()
        resolve(result)
      }
      // Also of callers who give up and are answered at once: then nobody else hears it fail.
      result.then(settle, settle)
      // It may have aborted while the work was being started.
      if (signal?.aborted) return giveUp()
      if (signal !== undefined) forget = onAbort(signal, giveUp)
      whole.start()
      this.#clocks ??= new Set()
      this.#clocks.add(part)
      if (this.#isSlow) part.start()
    })
  }

  /** A caller has been answered in another way; the result may still be of use. */
  #left(): void {
    if (this.#released === undefined) this.#kept = true
    else if (this.#callers === 0) this.#giveUp(this.#released.reason)
  }

  #giveUp(reason: unknown): void {
    if (this.abandoned) return
    const work = this.#work
    this.#work = undefined
    this.#reason = reason
    work?.abandoned()
    this.#controller?.abort(reason)
  }
}

/** The timers of one caller. */
class Clock<T> {
  readonly #exits: readonly Exit<T>[]
  readonly #take: (exit: Exit<T>) => void
  #timers: NodeJS.Timeout[] = []

  constructor(exits: readonly Exit<T>[], take: (exit: Exit<T>) => void) {
    this.#exits = exits
    this.#take = take
  }

  start(): void {
    for (const exit of this.#exits)
      if (exit.after > 0) this.#timers.push(setTimeout(() => this.#take(exit), exit.after))
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers = []
  }
}
