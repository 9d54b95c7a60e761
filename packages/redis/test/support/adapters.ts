import { randomUUID } from 'node:crypto'
import { RedisAdapter, type RedisAdapterOptions } from '@l2/redis'
import type { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { TcpProxy } from '../../../core/test/support/tcp-proxy.mjs'
import { rawClient, redisAddress, redisUrl } from './redis-server.mjs'

/** What a test may say of an adapter. */
export type Options = Partial<RedisAdapterOptions>

/** A prefix that no other test has. What is under it is removed when the test is over. */
export function newPrefix(): string {
  const prefix = `test-${randomUUID()}:`
  onTestFinished(async () => {
    await using adapter = new RedisAdapter({ url: redisUrl(), prefix })
    await adapter.clear()
  })
  return prefix
}

/** An adapter for one test, closed when the test is over; on the Redis of the test command by default. */
export function openAdapter(options: Options = {}): RedisAdapter {
  const way = 'client' in options || 'connection' in options ? {} : { url: redisUrl() }
  const all = { prefix: newPrefix(), sweepInterval: 0, ...way, ...options } as RedisAdapterOptions
  const adapter = new RedisAdapter(all)
  onTestFinished(() => adapter.close())
  return adapter
}

/** A client of ioredis for one test. */
export function openClient(url?: string): Redis {
  const client = rawClient(url)
  client.on('error', () => {})
  onTestFinished(() => client.disconnect())
  return client
}

/** A proxy in front of a Redis for one test. */
export async function openProxy(target = redisAddress()): Promise<TcpProxy> {
  const proxy = await new TcpProxy(target).listen()
  onTestFinished(() => proxy.close())
  return proxy
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export const text = (value: Uint8Array | undefined): string | undefined =>
  value && new TextDecoder().decode(value)

/** The keys of those that can be read. */
export async function readable(adapter: RedisAdapter, keys: readonly string[]): Promise<string[]> {
  const values = await Promise.all(keys.map(key => adapter.get(key)))
  return keys.filter((_, i) => values[i] !== undefined)
}
