import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { freePort } from '../../../scripts/services/free-port.mjs'
import { bytes, openAdapter, openProxy, text } from './support/adapters.js'
import { ownServer } from './support/own-server.js'

// Of a throw-away authority that signs for localhost, good for nothing else.
const pathOf = (file: string) => fileURLToPath(new URL(`data/${file}`, import.meta.url))
const ca = readFileSync(pathOf('tls-cert.pem'))

async function tlsServer(): Promise<{ host: string; port: number; password: string }> {
  const port = await freePort()
  const server = await ownServer(
    `tls-port ${port}`,
    `tls-cert-file ${pathOf('tls-cert.pem')}`,
    `tls-key-file ${pathOf('tls-key.pem')}`,
    'tls-auth-clients no',
  )
  return { host: '127.0.0.1', port, password: server.password }
}

test('over TLS: calls of one turn, large values, and a connection that hangs', async () => {
  const server = await tlsServer()
  const proxy = await openProxy(server)
  const connection = { ...server, port: proxy.port, tls: { ca } }
  const adapter = openAdapter({ connection, timeout: 500 })
  const values = Array.from({ length: 200 }, (_, i) => bytes(`${i}`.repeat(100)))
  await Promise.all(values.map((value, i) => adapter.set(`k${i}`, value, { tags: ['t'] })))
  const seen = await Promise.all(values.map((_, i) => adapter.get(`k${i}`)))
  expect(seen.map(text)).toEqual(values.map(text))
  const large = new Uint8Array(1_000_000).fill(7)
  await adapter.set('large', large, { tags: ['t'] })
  expect(Buffer.compare((await adapter.get('large')) ?? bytes(''), large)).toBe(0)

  proxy.stall()
  await expect(adapter.set('k0', bytes('given up'))).rejects.toMatchObject({ code: 'L2_TIMEOUT' })
  proxy.open()
  await expect
    .poll(() => adapter.set('k0', bytes('younger')).catch(error => error.code), { timeout: 10_000 })
    .toBeUndefined()
  proxy.resume()
  await new Promise(resolve => setTimeout(resolve, 100))
  expect(text(await adapter.get('k0'))).toBe('younger')
})

test('a certificate that nobody vouches for is refused', async () => {
  const { port, password } = await tlsServer()
  const adapter = openAdapter({ url: `rediss://:${password}@127.0.0.1:${port}` })
  const error = await adapter.get('k').catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({
    code: 'L2_UNAVAILABLE',
    message: expect.stringMatching(/self-signed/),
  })
  expect(String(error)).not.toContain(password)
})
