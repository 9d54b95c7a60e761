// A driver's message may quote a statement or a server's words at any length.
const MAX_MESSAGE = 400
const MAX_DEPTH = 3
const UNREADABLE = 'an error that can not be read'

/** What may hold a credential or a value, in the words of drivers, servers and libraries. */
const SECRETS: readonly RegExp[] = [
  /\b[a-z][a-z0-9+.-]{0,30}:\/\/\S*/gi,
  // user:password@host, with or without the scheme
  /\S{1,200}:\S{1,200}@\S*/g,
  // password=…, "password":"…", PWD: …
  /(?:pass(?:word|wd|phrase)?|pwd|secret|token|auth)["']?\s*[=:]\s*\S+/gi,
  // Redis quotes the arguments of a command that it does not know: values and passwords.
  /with args beginning with:.*/gis,
]

/**
 * A copy of a driver's error that is safe to print: name, message, code and stack frames only.
 * Drivers hang commands, connection settings and rows on their errors, and `console.log` prints
 * every property of a `cause`.
 */
export function redactedCause(error: unknown, depth = 0): Error {
  try {
    return copyOf(error, depth)
  } catch {
    // A getter or proxy that throws.
    return new Error(UNREADABLE)
  }
}

/** `text` without what looks like a connection string or credential, and not longer than a message should be. */
export function redactText(text: string): string {
  const start = text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text
  return SECRETS.reduce((redacted, secret) => redacted.replace(secret, '[redacted]'), start)
}

function copyOf(error: unknown, depth: number): Error {
  if (typeof error !== 'object' || error === null) return new Error(redactText(String(error)))
  const { name, message, code, stack, cause, errors } = error as Record<string, unknown>
  const parts = Array.isArray(errors) && depth < MAX_DEPTH ? errors.slice(0, 4) : []
  // Node reports a refused connection as an AggregateError without a message of its own.
  const text = message || parts.map(part => (part as Error)?.message).join('; ')
  const safe: Error & { code?: unknown } = new Error(redactText(String(text)))
  safe.name = isWord(name) ? name : 'Error'
  safe.stack = [`${safe.name}: ${safe.message}`, ...framesOf(stack, message)].join('\n')
  if (typeof code === 'number' || isWord(code)) safe.code = code
  if (cause !== undefined && depth < MAX_DEPTH) {
    Object.defineProperty(safe, 'cause', {
      value: redactedCause(cause, depth + 1),
      configurable: true,
      writable: true,
    })
  }
  return safe
}

/** What names and codes of errors look like, as opposed to what somebody put there. */
const isWord = (value: unknown): value is string =>
  typeof value === 'string' && /^[\w.-]{1,64}$/.test(value)

function framesOf(stack: unknown, message: unknown): string[] {
  if (typeof stack !== 'string') return []
  // A message may have lines that look like frames.
  const at = typeof message === 'string' && message !== '' ? stack.indexOf(message) : -1
  const frames = at < 0 ? stack : stack.slice(at + (message as string).length)
  // Not file URLs as such: without their place in the source, frames would be of no use.
  return frames.split('\n').filter(line => /^\s+at /.test(line) && !/:\/\/[^/]*@/.test(line))
}
