/** The time that means "never", in entries as in envelopes: the largest integer that JSON carries. */
export const NEVER = Number.MAX_SAFE_INTEGER

/** Unix time in ms, by this machine's clock. */
export const now = (): number => Date.now()

/** The Unix time in ms at which an entry stored now is gone. A `ttl` of 0 is never. */
export const expiryOf = (ttl: number): number => (ttl === 0 ? NEVER : Math.min(now() + ttl, NEVER))
