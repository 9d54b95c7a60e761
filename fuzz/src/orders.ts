import type { Stall } from './stall-meter.js'

/** What the parent tells a worker. */
export type WorkerOrder =
  | ({ readonly do: 'work' | 'rest' | 'verify' } & Assignment)
  /** Close the adapter, and go on with another. */
  | { readonly do: 'reopen' }
  /** Finish what is in flight, close, and tell. */
  | { readonly do: 'stop' }

export interface Assignment {
  /** The process as logs name it. */
  readonly name: string
  readonly log: string
  readonly seed: number
  /** What clock.ts counts from; a number of digits. */
  readonly base: string
  /** What the backend's module opens. */
  readonly config: unknown
  /** Values are as many times larger. */
  readonly scale: number
  /** The bug to plant. */
  readonly plant?: string
}

/** What a worker tells its parent. */
export type WorkerReport =
  | { readonly is: 'ready' | 'reopened' }
  | { readonly is: 'finished'; readonly stall?: Stall }
