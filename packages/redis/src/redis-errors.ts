import { type Failure, L2Error, type L2ErrorCode } from '@l2/core'
import type { RedisOptions } from 'ioredis'
import { LAYOUT_ERROR } from './redis-scripts.js'

/** What the Redis user has to be allowed: tested with one that may do just this. */
const NEEDED_RIGHTS =
  '+client|info +client|kill +get +mget +set +unlink +scan +eval +evalsha +pttl +exists ' +
  '+getrange +setrange +rename +persist +pexpire +zadd +zcard +zrem +zrandmember +zrangebylex +zrevrangebylex'

/** What to do where one Redis was expected, and a node of a cluster is there. */
export const CLUSTER_NODE =
  'this is a node of a Redis Cluster: name some nodes in `connection: { cluster: [{ host, port }] }`, ' +
  'or give your Cluster of ioredis as `client`.'

// Not with slashes: what looks like a URL is redacted.
const WITHOUT_TLS = 'connect without, by a URL that begins with redis: or without `tls`'

const READ_ONLY = /\bREADONLY\b/

interface Meaning {
  /** An error code of Redis: the first word, or in the middle of what a script of Redis 6 says. */
  readonly word: RegExp
  readonly code: L2ErrorCode
  readonly message: string
  readonly retryable?: boolean
}

const MEANINGS: readonly Meaning[] = [
  {
    word: /\bOOM\b/,
    code: 'L2_FULL',
    message:
      'Redis has reached maxmemory and finds nothing to evict: raise maxmemory, or choose an ' +
      'allkeys-… maxmemory-policy. Deleting still works.',
  },
  {
    word: READ_ONLY,
    code: 'L2_READ_ONLY',
    message: 'this Redis is a replica, which takes no writes: connect to its primary.',
  },
  {
    word: /\bMISCONF\b/,
    code: 'L2_READ_ONLY',
    message:
      'Redis takes no writes since it fails to save to its disk: look into its log, or set ' +
      'stop-writes-on-bgsave-error to no.',
  },
  {
    // The second and the third are what a script says, of Redis and of Valkey.
    word: /\bNOPERM\b|user executing the script can't|\bACL failure in script/,
    code: 'L2_UNSUITABLE_BACKEND',
    message:
      `the Redis user lacks a right. Give it the keys ~<prefix>* and ${NEEDED_RIGHTS}; ` +
      'also +select for another database than 0, and in a Cluster +asking +cluster|slots',
  },
  {
    word: /\bDB index is out of range|\binvalid DB index/,
    code: 'L2_UNSUITABLE_BACKEND',
    message:
      'this Redis has no database of that number: choose a lower `db`, the number in the path of a ' +
      '`url`, or raise `databases` in its configuration.',
  },
  {
    word: /\b(WRONGPASS|NOAUTH)\b|invalid password|AUTH <password> called without/i,
    code: 'L2_UNAVAILABLE',
    message: 'Redis refused the credentials: check user name and password.',
    retryable: false,
  },
  {
    // The second is what ioredis says where no Sentinel has answered with an error.
    word: /\bNo such master with that name|^All sentinels are unreachable and retry is disabled\.$/,
    code: 'L2_UNSUITABLE_BACKEND',
    message:
      'the Sentinels watch no primary of this name: `name` must be what their configuration calls ' +
      'it (sentinel monitor <name> …).',
  },
  {
    word: /^Unknown RESP type /,
    code: 'L2_UNSUITABLE_BACKEND',
    message:
      'what answers here is no Redis: check host and port, and whether it wants TLS (a URL that ' +
      'begins with rediss:, or `tls`).',
  },
  {
    // What OpenSSL makes of an answer in plain text.
    word: /\bwrong version number\b|\bpacket length too long\b/,
    code: 'L2_UNSUITABLE_BACKEND',
    message: `what answers here does not speak TLS: ${WITHOUT_TLS}.`,
  },
  {
    word: /\b(CLUSTERDOWN|TRYAGAIN)\b/,
    code: 'L2_UNAVAILABLE',
    message: 'the Redis Cluster has no primary for this slot now, or is moving it to another.',
  },
  {
    word: /\b(MOVED|ASK|CROSSSLOT)\b/,
    code: 'L2_UNSUITABLE_BACKEND',
    message: CLUSTER_NODE,
  },
  {
    word: new RegExp(`\\b${LAYOUT_ERROR}\\b`),
    code: 'L2_SCHEMA_MISMATCH',
    message:
      'Redis holds bookkeeping under this prefix that is not of this version of @l2/redis: use one ' +
      'version in all processes, or give this one a prefix of its own.',
  },
  {
    word: /\bWRONGTYPE\b/,
    code: 'L2_CORRUPT_STORE',
    message:
      'something else has written under this prefix: give the cache a prefix of its own, or ' +
      'remove what is under it.',
  },
  {
    // The second is what a script says.
    word: /unknown (redis )?command/i,
    code: 'L2_UNSUITABLE_BACKEND',
    message:
      'this Redis lacks a command: @l2/redis needs Redis 6.2 or later, or Valkey, with EVAL.',
  },
  {
    word: /\bLOADING\b/,
    code: 'L2_UNAVAILABLE',
    message: 'Redis is loading its data: it will be there in a moment.',
  },
  {
    word: /\bBUSY\b/,
    code: 'L2_UNAVAILABLE',
    message: 'Redis is busy with a script of someone else that takes long (SCRIPT KILL ends it).',
  },
  {
    word: /^Connection is closed|^Stream isn't writeable|^(read|write) (ECONNRESET|EPIPE)\b/,
    code: 'L2_UNAVAILABLE',
    message: 'the connection to Redis ended before it answered: a write may have taken effect.',
  },
]

/** The error for an attempt to connect that took longer than `limit` ms. */
export function noConnection(limit: number, { tls }: RedisOptions): L2Error {
  // A Redis without TLS waits for the end of what it takes for a line.
  const hint = tls ? `. If this port is one without TLS, ${WITHOUT_TLS}` : ''
  return new L2Error('L2_TIMEOUT', `no connection to Redis within ${limit} ms${hint}.`)
}

/** Whether Redis refused a write because it is a replica. */
export const isReplica = (error: unknown): boolean =>
  error instanceof Error && READ_ONLY.test(startOf(error))

// Behind the code Redis may quote what it was sent: names and values of anybody's choice.
const startOf = (error: Error): string => error.message.slice(0, 200)

/**
 * What an error of Redis or ioredis means, and the remedy.
 *
 * @returns `undefined` for what has no remedy to name: `L2_UNAVAILABLE` then.
 */
export function describeError(error: unknown): Failure | undefined {
  if (!(error instanceof Error)) return undefined
  const start = startOf(error)
  const meaning = MEANINGS.find(({ word }) => word.test(start))
  if (meaning === undefined) return undefined
  const { code, message, retryable } = meaning
  return retryable === undefined ? { code, message } : { code, message, retryable }
}
