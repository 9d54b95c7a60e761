// A driver's message may quote a statement or a server's words at any length.
const MAX_MESSAGE = 400
const MAX_DEPTH = 3

/**
 * A copy of a driver's error that is safe to print: name, message, code and stack frames only.
 * Drivers hang commands, connection settings and rows on their errors, and `console.log` prints
 * every property of a `cause`.
 */
export function redactedCause(error: unknown, depth = 0): Error {
  if (typeof error !== 'object' || error === null) return new Error(redactText(String(error)))
  const { name, message, code, stack, cause, errors } = error as Record<string, unknown>
  const parts = Array.isArray(errors) && depth < MAX_DEPTH ? errors.slice(0, 4) : []
  // Node reports a refused connection as an AggregateError without a message of its own.
  const text = message || parts.map(part => (part as Error)?.message).join('; ')
  const safe: Error & { code?: unknown } = new Error(redactText(String(text)))
  safe.name = typeof name === 'string' ? name : 'Error'
  safe.stack = [`${safe.name}: ${safe.message}`, ...framesOf(stack)].join('\n')
  if (typeof code === 'string' || typeof code === 'number') safe.code = code
  if (cause !== undefined && depth < MAX_DEPTH) {
    Object.defineProperty(safe, 'cause', {
      value: redactedCause(cause, depth + 1),
      configurable: true,
      writable: true,
    })
  }
  return safe
}

/** `text` without connection strings, and not longer than a message should be. */
export function redactText(text: string): string {
  const start = text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text
  return start.replace(/\b[a-z][a-z0-9+.-]{0,30}:\/\/\S*/gi, '[redacted]')
}

function framesOf(stack: unknown): string[] {
  if (typeof stack !== 'string') return []
  return stack.split('\n').filter(line => /^\s+at /.test(line))
}
