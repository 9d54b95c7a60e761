import type { Cache, CacheEvents } from '@l2/cache'

/** When a cache's breaker opens and closes for the first time. */
export class BreakerTimes {
  readonly opened: Promise<number>
  readonly closed: Promise<number>

  constructor(cache: Cache) {
    const when = (state: CacheEvents['breaker']['state']): Promise<number> =>
      new Promise(resolve =>
        cache.on('breaker', event => {
          if (event.state === state) resolve(performance.now())
        }),
      )
    this.opened = when('open')
    this.closed = when('closed')
  }
}
