import type { Call } from '@l2/core'
import type { Sender } from './redis-route.js'

/** Something that one command can do for several calls as well as for one. */
export interface Errand<Item, Answer> {
  alone(sender: Sender, call: Call, item: Item): Promise<Answer>
  /** @returns the answers in the order of the items. */
  together(sender: Sender, call: Call, items: readonly Item[]): Promise<readonly Answer[]>
}

interface Member<Item, Answer> {
  readonly call: Call
  readonly item: Item
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/**
 * Calls of one turn that have the same errand and nothing else between them: what one command costs on
 * either side is more than what a key costs in it.
 */
export class Batch<Item, Answer> {
  readonly errand: Errand<Item, Answer>
  readonly #members: Member<Item, Answer>[] = []

  constructor(errand: Errand<Item, Answer>) {
    this.errand = errand
  }

  get size(): number {
    return this.#members.length
  }

  add(call: Call, item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#members.push({ call, item, resolve, reject })
    })
  }

  /** Those that were abandoned meanwhile are not sent: their caller has been told. */
  send(sender: Sender): void {
    const members = this.#members.filter(({ call }) => !call.abandoned)
    for (const { call, reject } of this.#members)
      if (call.abandoned) reject(new Error('given up before it was sent'))
    const [first] = members
    if (first === undefined) return
    if (members.length === 1) {
      this.errand.alone(sender, first.call, first.item).then(first.resolve, first.reject)
      return
    }
    const items = members.map(({ item }) => item)
    this.errand.together(sender, new SharedCall(members), items).then(
      answers => {
        for (const [i, { resolve }] of members.entries()) resolve(answers[i] as Answer)
      },
      (error: unknown) => {
        for (const { reject } of members) reject(error)
      },
    )
  }
}

/** Stands for several calls: it is given up once all of them are. */
class SharedCall implements Call {
  readonly #members: readonly { readonly call: Call }[]

  constructor(members: readonly { readonly call: Call }[]) {
    this.#members = members
  }

  get abandoned(): boolean {
    return this.#members.every(({ call }) => call.abandoned)
  }

  get background(): boolean {
    return this.#members.every(({ call }) => call.background)
  }

  onAbandon(listener: () => void): void {
    for (const { call } of this.#members) call.onAbandon(listener)
  }
}
