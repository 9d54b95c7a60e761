import { Redis } from 'ioredis'

interface Host {
  close(): Promise<void>
}

interface Services {
  readonly ServerHost: { open(): Promise<Host> }
  startRedis(host: Host, say: (line: string) => void): Promise<{ url: string }>
}

/** A Redis that nobody else uses, and which can be halted, as by a machine that hangs. */
export interface OwnRedis {
  readonly url: string
  readonly version: string
  halt(): void
  goOn(): void
}

/** Gives `use` such a Redis, which is gone afterwards. */
export async function withOwnRedis<T>(use: (redis: OwnRedis) => Promise<T>): Promise<T> {
  const { ServerHost } = await service('server-host')
  const { startRedis } = await service('redis')
  const host = await ServerHost.open()
  try {
    const { url } = await startRedis(host, line => console.error(line))
    const client = new Redis(url)
    const info = await client.info('server')
    client.disconnect()
    const told = (name: string): string =>
      new RegExp(`^${name}:(.*)\\r$`, 'm').exec(info)?.[1] ?? ''
    const pid = Number(told('process_id'))
    return await use({
      url,
      version: told('redis_version'),
      halt: () => void process.kill(pid, 'SIGSTOP'),
      goOn: () => void process.kill(pid, 'SIGCONT'),
    })
  } finally {
    await host.close()
  }
}

/** Those of the tests, which are no part of what is compiled here. */
const service = (name: string): Promise<Services> =>
  import(new URL(`../../../scripts/services/${name}.mjs`, import.meta.url).href)
