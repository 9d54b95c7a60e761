import { decodeEnvelope, encodeEnvelope } from '@l2/core'
import { compare } from './compare.js'

for (const [size, bytes] of [
  ['1 KiB', 2 ** 10],
  ['64 KiB', 2 ** 16],
] as const) {
  const payload = new Uint8Array(bytes).map((_, i) => i * 31)
  const tags = ['product', 'product:42', 'tenant:7']
  const time = 1_774_915_200_000
  const envelope = {
    payload,
    logicalExpiry: time,
    physicalExpiry: time + 60_000,
    tags,
    createdAt: time,
  }
  const encoded = encodeEnvelope(envelope)
  const view = (of: Uint8Array): Buffer => Buffer.from(of.buffer, of.byteOffset, of.length)

  compare(`encode, ${size}`, [
    {
      name: 'JSON.stringify and Buffer base64',
      run: () =>
        Buffer.from(
          JSON.stringify({
            v: view(payload).toString('base64'),
            le: time,
            pe: time + 60_000,
            t: tags,
            c: time,
          }),
        ),
    },
    { name: 'encodeEnvelope', run: () => encodeEnvelope(envelope) },
  ])
  compare(`decode, ${size}`, [
    {
      name: 'JSON.parse and Buffer base64',
      run: () => Buffer.from(JSON.parse(view(encoded).toString()).v, 'base64'),
    },
    { name: 'decodeEnvelope', run: () => decodeEnvelope(encoded) },
  ])
}
