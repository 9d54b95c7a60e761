import { type Call, L2Error } from '@l2/core'
import type { RedisConnection } from './redis-connection.js'
import { CLUSTER_NODE } from './redis-errors.js'
import { PROBE, runScript } from './redis-scripts.js'

/** The oldest version that has all that we use: CLIENT INFO, ZRANDMEMBER. */
const OLDEST = [6, 2] as const

/** A call of our own: nobody can give it up. */
const OWN: Call = { abandoned: false, background: true, onAbandon: () => {} }

/** What a connection is to find. */
export interface Expected {
  /** A key for the proof that writes are taken. */
  readonly probe: string
  /** Whether it must be a node of a Redis Cluster, or must not be one. */
  readonly inCluster: boolean
}

/**
 * Asks what is at the other end of a new connection, and selects the database, in one round trip.
 *
 * @param expected `db` is the database.
 * @param kill names a connection to end, as CLIENT KILL does.
 * @returns the name of this one; `undefined` where Redis does not tell.
 * @throws L2Error `L2_UNSUITABLE_BACKEND`, `L2_READ_ONLY`
 */
export async function checkServer(
  connection: RedisConnection,
  { probe, inCluster, db }: Expected & { readonly db: number },
  kill: readonly string[] | undefined,
): Promise<readonly string[] | undefined> {
  const [selected, hello, info, probed] = await Promise.allSettled([
    db === 0 ? undefined : connection.send(OWN, 'select', [String(db)]),
    connection.send(OWN, 'hello', []),
    connection.send(OWN, 'client', ['INFO']),
    runScript(connection, OWN, PROBE, [probe], []),
    kill && connection.send(OWN, 'client', ['KILL', ...kill]),
  ])
  if (hello.status === 'fulfilled') checkHello(hello.value, inCluster)
  else if (isUnknownHello(hello.reason)) throw tooOld('too old')
  // Whatever the reason: all that follows would go to the first database, which may be of others.
  if (selected.status === 'rejected') throw selected.reason
  if (probed.status === 'rejected' && !isPassing(probed.reason))
    if (!inCluster || !isOfOthers(probed.reason)) throw probed.reason
  return info.status === 'fulfilled' ? nameIn(String(info.value)) : undefined
}

function checkHello(answer: unknown, inCluster: boolean): void {
  const said = new Map<string, string>()
  const flat = Array.isArray(answer) ? answer : []
  for (let i = 0; i + 1 < flat.length; i += 2) said.set(String(flat[i]), String(flat[i + 1]))
  const version = said.get('version') ?? ''
  const [major, minor] = version.split('.').map(Number)
  if (major !== undefined && minor !== undefined) {
    if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
      throw tooOld(`version ${version}`)
  }
  if (said.get('mode') === 'sentinel')
    throw new L2Error(
      'L2_UNSUITABLE_BACKEND',
      'this is a Sentinel, not the Redis it watches: name it in `sentinels` with the `name` of the ' +
        'group, or connect to the primary.',
    )
  if (!inCluster && said.get('mode') === 'cluster')
    throw new L2Error('L2_UNSUITABLE_BACKEND', CLUSTER_NODE)
  if (inCluster && said.get('mode') === 'standalone')
    throw new L2Error(
      'L2_UNSUITABLE_BACKEND',
      'this is no node of a Redis Cluster: connect by `url`, or with host and port in `connection`.',
    )
  // One in a cluster knows who has which slot, and sends on whatever it is told.
  if (!inCluster && (said.get('role') === 'replica' || said.get('role') === 'slave'))
    throw new L2Error(
      'L2_READ_ONLY',
      'this Redis is a replica, which takes no writes and may lag behind: connect to its primary.',
    )
}

/** ID and address together: an id alone begins again with a Redis that was restarted. */
function nameIn(info: string): readonly string[] | undefined {
  const [, id] = /(?:^| )id=(\d+)/.exec(info) ?? []
  const [, address] = /(?:^| )addr=(\S+)/.exec(info) ?? []
  return id && address ? ['ID', id, 'ADDR', address] : undefined
}

/** Without arguments it is known since 6.2. */
const isUnknownHello = (error: unknown): boolean =>
  error instanceof Error && /unknown command|wrong number of arguments/i.test(error.message)

/** Whether it may be over in a moment, and a read would be answered: each call tells by itself. */
const isPassing = (error: unknown): boolean =>
  error instanceof Error && /\b(MISCONF|NOREPLICAS|LOADING|BUSY|OOM)\b/.test(error.message)

/** Whether a node of a cluster says that the key is not its own: it would take others. */
const isOfOthers = (error: unknown): boolean =>
  error instanceof Error && /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN)\b/.test(error.message)

const tooOld = (what: string): L2Error =>
  new L2Error(
    'L2_UNSUITABLE_BACKEND',
    `this Redis is ${what}: @l2/redis needs Redis ${OLDEST.join('.')} or later, or Valkey.`,
  )
