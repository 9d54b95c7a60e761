// @ts-check
// A process that sets one key for ever, to be killed in the middle: the kit's `crash` hook.
import { RemoteMemory } from './remote-memory.mjs'

const [port, prefix, key] = JSON.parse(process.argv[2] ?? '[]')
const adapter = new RemoteMemory(port, { prefix })
for (let i = 0; ; i = (i + 1) % 3) {
  await adapter.set(key, new Uint8Array(1_000).fill(i), { tags: [`${key}:${i}`] })
  process.send?.('written')
}
