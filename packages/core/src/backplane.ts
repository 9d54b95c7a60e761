/**
 * Tells the other nodes of a fleet what changed, so that none of them goes on serving an old value
 * from its own memory. Types only for now: the backend packages will implement it, with `close()`
 * and `[Symbol.asyncDispose]` as adapters have them.
 *
 * A message that is too long for its backend (PostgreSQL's NOTIFY takes 8 000 bytes, a key may have
 * 64 KiB) arrives as one that covers more, `clear` at the utmost: never not at all.
 */
export interface Backplane {
  /**
   * Sends `message` to every other node. Resolves once the backend has taken it; says nothing about
   * who has read it.
   *
   * Cost: one round trip.
   */
  publish(
    message: BackplaneMessage,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<void>

  /**
   * Calls `listener` for every message of other nodes from now on.
   *
   * @returns a function that ends the subscription.
   */
  subscribe(listener: BackplaneListener): Promise<() => Promise<void>>
}

/** What a subscriber is told. Messages sent while it was disconnected are lost to it. */
export interface BackplaneListener {
  onMessage(message: BackplaneMessage): void
  /** Messages may be missed from now on. */
  onDisconnect(): void
  /** Messages arrive again; those of the meantime were missed. */
  onReconnect(): void
}

/** One change. A reader ignores a message whose `type` it does not know. */
export type BackplaneMessage =
  | (BackplaneOrigin & { readonly type: 'set' | 'delete' | 'expire'; readonly key: string })
  | (BackplaneOrigin & { readonly type: 'tag'; readonly tag: string })
  | (BackplaneOrigin & { readonly type: 'clear' })

/** Where a change came from. */
export interface BackplaneOrigin {
  /** The node that made the change: a node ignores its own messages. */
  readonly source: string
  /** When it was made, Unix ms by that node's clock. For people to read: nodes are never ordered by it. */
  readonly time: number
}
