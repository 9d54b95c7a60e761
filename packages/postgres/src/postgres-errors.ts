import { type Failure, L2Error, type L2ErrorCode } from '@l2/core'

interface Meaning {
  /** SQLSTATE (PostgreSQL documentation, appendix A), of which it may be the beginning; or Node's code. */
  readonly code: RegExp
  readonly is: L2ErrorCode
  readonly message: string
  readonly retryable?: boolean
}

const RIGHTS =
  'USAGE on the schema, SELECT on its three tables, INSERT, UPDATE, DELETE on …entries and …tags'

const MEANINGS: readonly Meaning[] = [
  {
    code: /^25006$/,
    is: 'L2_READ_ONLY',
    message:
      'this PostgreSQL takes no writes: a replica, or read-only by configuration. Connect to its primary.',
  },
  {
    code: /^53100$/,
    is: 'L2_FULL',
    message: 'the disk of the PostgreSQL server is full.',
  },
  {
    code: /^53200$/,
    is: 'L2_FULL',
    message: 'the PostgreSQL server is out of memory.',
  },
  {
    code: /^(53300|53400)$/,
    is: 'L2_UNAVAILABLE',
    message:
      'PostgreSQL has no connection left: raise max_connections, lower `max` of the pools, or put a ' +
      'pooler in between.',
  },
  {
    code: /^42501$/,
    is: 'L2_UNSUITABLE_BACKEND',
    message:
      `the role lacks a right. It needs ${RIGHTS}; and to make the tables CREATE on the schema: else ` +
      'have somebody run what `migrationSql()` gives.',
  },
  {
    code: /^(42P01|3F000|42703|42804|42P10)$/,
    is: 'L2_SCHEMA_MISMATCH',
    message:
      'the tables are missing, or not those of this version of @l2/postgres: run what ' +
      '`migrationSql()` gives, or choose another `schema` or `tablePrefix`.',
  },
  {
    code: /^28/,
    is: 'L2_UNAVAILABLE',
    message: 'PostgreSQL refused the credentials: check user, password and pg_hba.conf.',
    retryable: false,
  },
  {
    code: /^3D000$/,
    is: 'L2_UNSUITABLE_BACKEND',
    message: 'there is no database of this name.',
  },
  {
    code: /^(57014|55P03|25P0[34])$/,
    is: 'L2_TIMEOUT',
    message: 'PostgreSQL cancelled it: statement_timeout, lock_timeout or the like, or by hand.',
  },
  {
    code: /^(57P0|08|ECONNRESET|EPIPE)/,
    is: 'L2_UNAVAILABLE',
    message:
      'the connection to PostgreSQL ended before it answered: a write may have taken effect.',
  },
  {
    code: /^XX00[12]$/,
    is: 'L2_CORRUPT_STORE',
    message: 'a table or an index is damaged: drop the tables, they are made anew.',
  },
  {
    code: /^54000$/,
    is: 'L2_UNSUPPORTED',
    message: 'it is more than PostgreSQL can take.',
  },
]

/** What pg says where it does not wait any longer. */
const IMPATIENT = /^Query read timeout/

/** What pg and its pool say by words alone. */
const WORDS: readonly (readonly [RegExp, L2ErrorCode, string])[] = [
  [
    /^Connection terminated due to connection timeout|^timeout expired/,
    'L2_TIMEOUT',
    'no connection to PostgreSQL within 95 % of `timeout`, or connectionTimeoutMillis.',
  ],
  [
    /^timeout exceeded when trying to connect/,
    'L2_TIMEOUT',
    'no connection of the pool was free, or none could be made, within its connectionTimeoutMillis: ' +
      'raise its `max`.',
  ],
  [IMPATIENT, 'L2_TIMEOUT', 'no answer within query_timeout, which is a setting of pg.'],
  [
    /^Connection terminated|^Client has encountered a connection error|^Client was closed/,
    'L2_UNAVAILABLE',
    'the connection to PostgreSQL ended before it answered: a write may have taken effect.',
  ],
  [
    /does not support SSL|establishing an SSL connection/,
    'L2_UNSUITABLE_BACKEND',
    'what answers here does not speak TLS: connect without `ssl`, or by a URL without sslmode.',
  ],
  [
    /after calling end on the pool/,
    'L2_UNAVAILABLE',
    'the pool was ended by the application: close the adapter first.',
  ],
]

const NOT_RETRYABLE = /after calling end on the pool/

/**
 * What a server says whose connection ends with it, or may: it was told to stop, or something is broken.
 * Where it waited for a replica then, what it did is done.
 */
const LAST_WORDS = /^(57P|25P0[34]|08|28|3D|58|XX)/

/** Not by its severity, ERROR or FATAL, which servers say in their own language. */
function stateOf(error: unknown): string | undefined {
  const { severity, code } = (error ?? {}) as { severity?: unknown; code?: unknown }
  return typeof severity === 'string' && typeof code === 'string' ? code : undefined
}

/** Whether the server has answered that it did nothing, and its connection is as good as before. */
export function isRefusal(error: unknown): boolean {
  const state = stateOf(error)
  return state !== undefined && !LAST_WORDS.test(state)
}

/** Whether it was given up on our side: the server may get, and do, what was sent. */
export function isImpatience(error: unknown): boolean {
  return error instanceof Error && !('severity' in error) && IMPATIENT.test(error.message)
}

/** Whether the server refused one of the rows for what it is: the others may do. */
export function isAboutData(error: unknown): boolean {
  // Data, constraints, limits, what a trigger raises.
  return /^(22|23|44|54|P0)/.test(stateOf(error) ?? '')
}

/** Whether the server knows no statement of this name, or one already: somebody else tidies, or is there too. */
export function isAboutName(error: unknown): boolean {
  return /^(26000|42P05)$/.test(stateOf(error) ?? '')
}

/**
 * What an error of PostgreSQL or pg means, and the remedy.
 *
 * @returns `undefined` for what has no remedy to name: `L2_UNAVAILABLE` then.
 */
export function describeError(error: unknown): Failure | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = error as { code?: unknown }
  const meaning = MEANINGS.find(one => typeof code === 'string' && one.code.test(code))
  if (meaning !== undefined) {
    const { is, message, retryable } = meaning
    return { code: is, message, ...(retryable === undefined ? {} : { retryable }) }
  }
  // A server may quote anything.
  if ('severity' in error) return undefined
  const words = WORDS.find(([pattern]) => pattern.test(error.message))
  if (words === undefined) return undefined
  const isFinal = NOT_RETRYABLE.test(error.message)
  return { code: words[1], message: words[2], ...(isFinal ? { retryable: false } : {}) }
}

/** What Postgres takes, and Node can read again as text in hex (536 870 888 characters in a string). */
const MAX_VALUE = 255 * 2 ** 20

/** @throws L2Error `L2_UNSUPPORTED` where the value could not be read again. */
export function checkSize(value: Uint8Array): void {
  if (value.length > MAX_VALUE)
    throw new L2Error('L2_UNSUPPORTED', 'set: the value is larger than 255 MiB.')
}
