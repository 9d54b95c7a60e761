import { expectHit, expectTrue, sameBytes, show } from '../check.js'
import { bytes } from '../context.js'
import { type Definition, must, should } from '../define.js'

const MIB = 2 ** 20

/** Values of one size come back exactly. */
const ofSize = (size: number): Definition['run'] => {
  return async context => {
    const adapter = await context.open()
    const value = new Uint8Array(size)
    // A pattern without a short period: a lost or doubled chunk shows.
    for (let i = 0; i < size; i++) value[i] = (i * 2_654_435_761) >>> 13
    await adapter.set('big', value)
    await expectHit(adapter, 'big', value, `set of ${size} bytes`)
  }
}

export const values: readonly Definition[] = [
  must(
    'values.every-byte',
    'Bytes',
    'get set',
    'return all 256 byte values as they were set',
    async context => {
      const adapter = await context.open()
      const value = Uint8Array.from({ length: 256 }, (_, i) => i)
      await adapter.set('k', value)
      await expectHit(adapter, 'k', value, 'set(k, bytes 0 to 255)')
    },
  ),

  must('values.not-utf8', 'Bytes', 'get set', 'keep bytes that are not UTF-8', async context => {
    const adapter = await context.open()
    for (const value of [
      [0xff],
      [0xc3, 0x28],
      [0xed, 0xa0, 0x80],
      [0xef, 0xbb, 0xbf],
      [0, 0xff, 0x80, 1],
    ]) {
      await adapter.set('k', Uint8Array.from(value))
      await expectHit(adapter, 'k', Uint8Array.from(value), 'set(k, bytes that are not UTF-8)')
    }
  }),

  must(
    'values.look-like-data',
    'Bytes',
    'get set',
    'keep bytes that look like JSON, numbers or nothing',
    async context => {
      const adapter = await context.open()
      for (const text of [
        'null',
        'undefined',
        '{}',
        '""',
        '0',
        '007',
        '1e3',
        ' ',
        '\n',
        '\0',
        'false',
        '\\x00',
      ]) {
        await adapter.set('k', bytes(text))
        await expectHit(adapter, 'k', bytes(text), `set(k, ${JSON.stringify(text)})`)
      }
    },
  ),

  must(
    'values.empty-is-a-hit',
    'Miss',
    'get set',
    'take a value of 0 bytes for a hit',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', new Uint8Array(), { tags: ['t'] })
      await expectHit(adapter, 'k', new Uint8Array(), 'set(k, 0 bytes)')
    },
  ),

  must(
    'values.absent-is-undefined',
    'Miss',
    'get',
    'give undefined for a key never set',
    async context => {
      const adapter = await context.open()
      const seen: unknown = await adapter.get('never set')
      expectTrue(seen === undefined, 'get of a key never set', 'undefined', show(seen))
    },
  ),

  must('values.plain-bytes', 'Bytes', 'get', 'give a Uint8Array', async context => {
    const adapter = await context.open()
    await adapter.set('k', bytes('v'))
    const seen: unknown = await adapter.get('k')
    expectTrue(seen instanceof Uint8Array, 'set(k, v), get(k)', 'a Uint8Array', show(seen))
  }),

  must(
    'values.a-view-is-its-window',
    'Bytes',
    'set',
    'store only the window of a view on a larger buffer',
    async context => {
      const adapter = await context.open()
      const whole = bytes('before|window|after')
      await adapter.set('k', whole.subarray(7, 13))
      await expectHit(adapter, 'k', bytes('window'), 'set(k, a view on the middle of a buffer)')
    },
  ),

  must(
    'values.copied-in',
    'Bytes',
    'set',
    'share no memory with what the caller passed in',
    async context => {
      const adapter = await context.open()
      const value = bytes('original')
      const done = adapter.set('k', value)
      value.fill(0)
      await done
      await expectHit(
        adapter,
        'k',
        bytes('original'),
        'set(k, v) not yet awaited, then v overwritten',
      )
    },
  ),

  must(
    'values.copied-out',
    'Bytes',
    'get',
    'share no memory with what the caller got back',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('original'))
      const first = await adapter.get('k')
      first?.fill(0)
      const [second, third] = await Promise.all([adapter.get('k'), adapter.get('k')])
      second?.fill(0)
      expectTrue(
        sameBytes(third, bytes('original')),
        'two gets at once, the bytes of one overwritten',
        'the other unchanged',
        show(third),
      )
      await expectHit(adapter, 'k', bytes('original'), 'bytes that get gave were overwritten')
    },
  ),

  must(
    'values.overwrite',
    'Order',
    'get set',
    'replace a value, also by a shorter one',
    async context => {
      const adapter = await context.open()
      for (const value of ['long first value', 'second', '', 'a fourth value, longer than all']) {
        await adapter.set('k', bytes(value))
        await expectHit(adapter, 'k', bytes(value), `set(k, ${JSON.stringify(value)})`)
      }
    },
  ),

  must('values.1-mib', 'Bytes', 'get set', 'store 1 MiB', ofSize(MIB)),
  must('values.16-mib', 'Bytes', 'get set', 'store 16 MiB', ofSize(16 * MIB)),
  should('values.64-mib', 'Bytes', 'get set', 'store 64 MiB', ofSize(64 * MIB)),
]
