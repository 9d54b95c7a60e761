interface Waiting {
  readonly listeners: Set<() => void>
  readonly abortAll: () => void
}

const waiting = new WeakMap<AbortSignal, Waiting>()

/**
 * Calls `listener` once when `signal` aborts; what it returns takes it off again. What a listener
 * throws is dropped: the others are called all the same.
 *
 * One signal often covers a thousand calls, and Node warns of a leak at the eleventh listener of a
 * signal. So all of a signal's calls share one.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const { listeners, abortAll } = waiting.get(signal) ?? waitOn(signal)
  // A function of its own each time: the same one may be given twice.
  const entry = (): void => listener()
  listeners.add(entry)
  return () => {
    if (!listeners.delete(entry) || listeners.size > 0) return
    waiting.delete(signal)
    signal.removeEventListener('abort', abortAll)
  }
}

function waitOn(signal: AbortSignal): Waiting {
  const listeners = new Set<() => void>()
  const abortAll = (): void => {
    waiting.delete(signal)
    for (const listener of listeners) {
      try {
        listener()
      } catch {
        // The calls of others depend on the next one.
      }
    }
  }
  const made = { listeners, abortAll }
  waiting.set(signal, made)
  signal.addEventListener('abort', abortAll, { once: true })
  return made
}
