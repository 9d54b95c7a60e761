import type { Call } from '@l2/core'
import type { Errand } from './redis-batch.js'

/** Of a command. `start` is ASCII. */
export type Argument = string | Uint8Array | { readonly start: string; readonly rest: Uint8Array }

/** What takes commands: one connection to one Redis. */
export interface Sender {
  /** Whether it can be used as far as anybody knows. */
  readonly isOpen: boolean

  /**
   * Sends one command. Strings in the answer are Buffers.
   *
   * @param name in lower case.
   */
  send(call: Call, name: string, args: Argument[]): Promise<unknown>

  /** Does it together with what else of the same turn has this errand, where one command can. */
  share<Item, Answer>(call: Call, errand: Errand<Item, Answer>, item: Item): Promise<Answer>
}

/**
 * Sends what a call has to say about one bucket.
 *
 * @param moving for how long, in ms, Redis has refused it because the bucket is being moved to another
 * node and its keys are partly here, partly there; 0 where that is not known to be so. Commands with
 * one key are not refused.
 */
export type Send<T> = (sender: Sender, moving: number) => Promise<T>

/** A Redis that can be looked through name by name. */
export interface Node {
  use<T>(bucket: number, call: Call, send: Send<T>): Promise<T>
}

/** Where all that is ours is at one moment. */
export interface Layout {
  readonly nodes: readonly Node[]
  /** Alike for two layouts that are alike. */
  readonly name: string
  /** Whether some bucket is on its way from one node to another. */
  readonly moving: boolean
}

/** The way to the Redis that holds a bucket. */
export interface Route extends Node {
  /** Runs `send` at once where there is a connection, and as soon as there is one otherwise. */
  use<T>(bucket: number, call: Call, send: Send<T>): Promise<T>

  /** One bucket of each node. */
  heads(call: Call): Promise<readonly number[]>

  /** Costs one round trip where there are several nodes. */
  layout(call: Call): Promise<Layout>

  /** Has the next call look for the primary anew. */
  reconnect(): void

  close(): void
}
