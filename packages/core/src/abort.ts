const listeners = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls `listener` once when `signal` aborts; what it returns takes it off again.
 *
 * One signal often covers a thousand calls, and Node warns of a leak at the eleventh listener of a
 * signal. So all of a signal's calls share one.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  let waiting = listeners.get(signal)
  if (waiting === undefined) {
    waiting = new Set()
    listeners.set(signal, waiting)
    signal.addEventListener('abort', abortAll, { once: true })
  }
  // A function of its own each time: the same one may be given twice.
  const entry = (): void => listener()
  waiting.add(entry)
  return () => {
    if (!waiting.delete(entry) || waiting.size > 0) return
    listeners.delete(signal)
    signal.removeEventListener('abort', abortAll)
  }
}

function abortAll(this: AbortSignal): void {
  const waiting = listeners.get(this)
  listeners.delete(this)
  for (const listener of waiting ?? []) listener()
}
