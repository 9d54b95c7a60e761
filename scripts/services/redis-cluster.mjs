// @ts-check
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from './free-port.mjs'
import { newPassword, startRedisServer } from './redis.mjs'

/** @typedef {Awaited<ReturnType<typeof startRedisServer>>} Server */

const SLOTS = 16_384

/**
 * A throw-away Redis Cluster. Takes some three seconds: a new node thinks for two.
 *
 * @param {import('./server-host.mjs').ServerHost} host
 * @param {(line: string) => void} say
 * @param {{ primaries?: number, replicas?: number, settings?: string[] }} [options] how many nodes
 *   share the slots, how many more are replicas of the first ones, and lines of redis.conf
 */
export async function startRedisCluster(host, say, options = {}) {
  const { primaries = 3, replicas = 0, settings = [] } = options
  const password = newPassword()
  const nodes = await Promise.all(
    Array.from({ length: primaries + replicas }, () => startNode(host, say, settings, password)),
  )
  const clients = nodes.map(({ url }) => new Redis(url))
  try {
    await join(nodes, clients, primaries)
  } finally {
    for (const client of clients) client.disconnect()
  }
  return { nodes, password }
}

/**
 * @param {import('./server-host.mjs').ServerHost} host
 * @param {(line: string) => void} say
 * @param {string[]} settings
 * @param {string} password
 */
async function startNode(host, say, settings, password) {
  // By default 10 000 above the port, which there may not be.
  const bus = await freePort()
  const lines = [
    'cluster-enabled yes',
    `cluster-port ${bus}`,
    'cluster-node-timeout 1000',
    'cluster-require-full-coverage no',
    `masterauth ${password}`,
    ...settings,
  ]
  return { ...(await startRedisServer(host, say, lines, { password })), bus }
}

/**
 * @param {(Server & { bus: number })[]} nodes
 * @param {Redis[]} clients
 * @param {number} primaries
 */
async function join(nodes, clients, primaries) {
  const [first] = clients
  if (first === undefined) throw new Error('a cluster has nodes')
  await Promise.all(
    clients.slice(0, primaries).map(async (client, at) => {
      const from = Math.floor((SLOTS * at) / primaries)
      const to = Math.floor((SLOTS * (at + 1)) / primaries) - 1
      await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to)
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', at + 1)
    }),
  )
  for (const { port, bus } of nodes.slice(1))
    await first.call('CLUSTER', 'MEET', '127.0.0.1', port, bus)
  await until(clients, info => info.includes(`cluster_known_nodes:${nodes.length}`))
  await Promise.all(
    clients.slice(primaries).map(async (client, at) => {
      const primary = String(await clients[at % primaries]?.call('CLUSTER', 'MYID'))
      await client.call('CLUSTER', 'REPLICATE', primary)
      while (!(await client.info('replication')).includes('master_link_status:up')) await pause(20)
    }),
  )
  await until(clients, info => info.includes('cluster_state:ok') && info.includes('slots_ok:16384'))
}

/**
 * @param {Redis[]} clients
 * @param {(info: string) => boolean} holds
 */
async function until(clients, holds) {
  const deadline = Date.now() + 30_000
  for (const client of clients) {
    if (client.status !== 'ready') await once(client, 'ready')
    while (!holds(String(await client.call('CLUSTER', 'INFO')))) {
      if (Date.now() > deadline) throw new Error('the nodes do not become a cluster')
      await pause(20)
    }
  }
}
