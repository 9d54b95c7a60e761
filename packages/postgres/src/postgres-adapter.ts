import { type Backend, GuardedAdapter, L2Error } from '@l2/core'
import type { PostgresAdapterOptions } from './postgres-options.js'

/** The contract over a PostgreSQL that any number of processes share. */
export class PostgresAdapter extends GuardedAdapter {
  /** @throws TypeError, RangeError where an option is not what it should be. */
  constructor(options: PostgresAdapterOptions) {
    super(options, () => new PostgresBackend())
  }
}

class PostgresBackend implements Backend {
  get(): undefined {
    return undone()
  }
  set(): void {
    undone()
  }
  delete(): void {
    undone()
  }
  deleteByTag(): Iterable<number> {
    return undone()
  }
  clear(): Iterable<number> {
    return undone()
  }
  ping(): void {
    undone()
  }
  close(): void {}
}

function undone(): never {
  throw new L2Error('L2_UNSUPPORTED', 'not written yet.')
}
