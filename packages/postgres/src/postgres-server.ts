import { L2Error } from '@l2/core'
import { NOW } from './postgres-sql.js'

/** The oldest version that has all that we use: pg_terminate_backend with a timeout. */
const OLDEST = 14

/** Asks a new connection what is at its other end. The order of columns is {@link checkServer}'s. */
export const HELLO = `SELECT pg_backend_pid(), ${NOW},
  current_setting('server_version_num')::int / 10000, pg_is_in_recovery(),
  current_setting('transaction_isolation'), current_setting('default_transaction_read_only')`

/** What a connection leads to. */
export interface Server {
  /** Which process answered: that of the connection, where nothing is in between. */
  readonly pid: number
  /** Its clock, in ms since 1970. */
  readonly clock: number
}

/** @throws L2Error `L2_UNSUITABLE_BACKEND`, `L2_READ_ONLY` */
export function checkServer(answer: readonly (string | null)[] | undefined): Server {
  const [pid, clock, version, inRecovery, isolation, readOnly] = answer ?? []
  if (Number(version) < OLDEST)
    throw new L2Error(
      'L2_UNSUITABLE_BACKEND',
      `this PostgreSQL is version ${version}: @l2/postgres needs ${OLDEST} or later.`,
    )
  if (inRecovery !== 'f')
    throw new L2Error(
      'L2_READ_ONLY',
      'this PostgreSQL is a replica, which takes no writes and has nothing of UNLOGGED tables: ' +
        'connect to its primary.',
    )
  if (readOnly === 'on')
    throw new L2Error(
      'L2_READ_ONLY',
      'default_transaction_read_only is on for this role or database: the cache has to write. ' +
        'ALTER ROLE … SET default_transaction_read_only = off.',
    )
  if (isolation !== 'read committed')
    throw new L2Error(
      'L2_UNSUITABLE_BACKEND',
      `default_transaction_isolation is "${isolation}" for this role or database, in which writes ` +
        'that meet fail: ALTER ROLE … SET default_transaction_isolation = "read committed".',
    )
  return { pid: Number(pid), clock: Number(clock) }
}
