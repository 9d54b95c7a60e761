import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { decodeEnvelope, type Envelope, encodeEnvelope, envelopeSchema } from './envelope.js'
import { isL2Error } from './errors.js'

const NEVER = Number.MAX_SAFE_INTEGER
const MIB = 2 ** 20

interface Vector {
  readonly name: string
  readonly bytes_base64: string
  readonly value_base64: string
  readonly logical_expiry_ms: number
  readonly physical_expiry_ms: number
  readonly tags: string[]
}

const vectors: Vector[] = JSON.parse(
  readFileSync(new URL('../test/data/envelope-go.json', import.meta.url), 'utf8'),
)

const plain = (envelope: Envelope): Envelope => ({
  ...envelope,
  payload: new Uint8Array(envelope.payload),
})
const ofText = (text: string): Uint8Array => new TextEncoder().encode(text)
const decodeText = (text: string): Envelope => decodeEnvelope(ofText(text))

/** The code of what decoding throws; anything but a corrupt envelope fails the test. */
function outcome(bytes: Uint8Array): 'decoded' | 'corrupt' {
  try {
    decodeEnvelope(bytes)
    return 'decoded'
  } catch (error) {
    if (isL2Error(error) && error.code === 'L2_CORRUPT_ENVELOPE') return 'corrupt'
    throw error
  }
}

describe('envelopes that the Go library wrote', () => {
  test('are all there', () => expect(vectors).toHaveLength(19))

  for (const vector of vectors) {
    test(vector.name, () => {
      expect(plain(decodeEnvelope(Buffer.from(vector.bytes_base64, 'base64')))).toEqual({
        payload: new Uint8Array(Buffer.from(vector.value_base64, 'base64')),
        logicalExpiry: vector.logical_expiry_ms,
        physicalExpiry: vector.physical_expiry_ms,
        tags: vector.tags,
      })
    })
  }

  test('are what we write, but for the escapes that JSON leaves free', () => {
    for (const vector of vectors) {
      const bytes = Buffer.from(vector.bytes_base64, 'base64')
      const written = encodeEnvelope(decodeEnvelope(bytes))
      const wire = JSON.parse(bytes.toString())
      expect(JSON.parse(Buffer.from(written).toString())).toEqual({ ...wire, v: wire.v ?? '' })
      expect(Object.keys(JSON.parse(Buffer.from(written).toString()))).toEqual(Object.keys(wire))
    }
  })
})

const envelopes = fc
  .record({
    payload: fc.uint8Array({ maxLength: 200 }),
    times: fc.tuple(fc.maxSafeInteger(), fc.maxSafeInteger()),
    tags: fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 5 }),
    createdAt: fc.option(fc.maxSafeInteger(), { nil: undefined }),
  })
  .map(({ payload, times, tags, createdAt }): Envelope => {
    const [logicalExpiry, physicalExpiry] = times.sort((a, b) => a - b) as [number, number]
    const envelope = { payload, logicalExpiry, physicalExpiry, tags }
    return createdAt === undefined ? envelope : { ...envelope, createdAt }
  })

test('what encodeEnvelope writes, decodeEnvelope reads', () => {
  fc.assert(
    fc.property(envelopes, envelope => {
      expect(plain(decodeEnvelope(encodeEnvelope(envelope)))).toEqual(plain(envelope))
    }),
  )
})

describe('decodeEnvelope reads', () => {
  const read = (fields: string): Envelope => decodeText(`{"v":"YQ==","le":1,"pe":2${fields}}`)

  test('unknown fields as if they were not there', () => {
    const envelope = read(',"x":{"v":"AAAA"},"version":2,"__proto__":{"polluted":true}')
    expect(Object.keys(envelope)).toEqual(['payload', 'logicalExpiry', 'physicalExpiry', 'tags'])
    expect((envelope as unknown as { polluted?: boolean }).polluted).toBeUndefined()
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
  test('null tags as none', () => expect(read(',"t":null').tags).toEqual([]))
  test('a creation time', () => expect(read(',"c":-5').createdAt).toBe(-5))
  test('fields in any order, with white space', () => {
    expect(decodeText(' {\n"pe" : 2,\t"le":1, "v":"YQ==" } ').payload).toEqual(ofText('a'))
  })
  test('the smaller expiry as the logical one', () => {
    const envelope = decodeText('{"v":"","le":9,"pe":5}')
    expect([envelope.logicalExpiry, envelope.physicalExpiry]).toEqual([5, 5])
  })
  test('payload characters that JSON has escaped', () => {
    expect(decodeText('{"v":"\\u0059Q\\u003d=","le":1,"pe":2}').payload).toEqual(ofText('a'))
  })
})

describe('decodeEnvelope takes for corrupt', () => {
  const cases: Record<string, string> = {
    nothing: '',
    'no JSON': 'v=1',
    'a cut envelope': '{"v":"YQ==","le":1,"pe"',
    'an array': '[]',
    null: 'null',
    'a string': '"YQ=="',
    'an empty object': '{}',
    'no payload': '{"le":1,"pe":2}',
    'a payload of numbers': '{"v":[97],"le":1,"pe":2}',
    'no physical expiry': '{"v":"","le":1}',
    'an expiry as text': '{"v":"","le":"1","pe":2}',
    'a fraction': '{"v":"","le":1.5,"pe":2}',
    'a time over 2^53 - 1': '{"v":"","le":1,"pe":9007199254740992}',
    'a time under -(2^53 - 1)': '{"v":"","le":-9007199254740992,"pe":2}',
    'an infinite time': '{"v":"","le":1,"pe":1e999}',
    'tags as text': '{"v":"","le":1,"pe":2,"t":"a"}',
    'a tag that is none': '{"v":"","le":1,"pe":2,"t":["a",1]}',
    'a tag with a lone surrogate': '{"v":"","le":1,"pe":2,"t":["\\ud800"]}',
    'a tag over 64 KiB': `{"v":"","le":1,"pe":2,"t":["${'x'.repeat(65_537)}"]}`,
    'a creation time that is none': '{"v":"","le":1,"pe":2,"c":"now"}',
    'unpadded base64': '{"v":"YQ","le":1,"pe":2}',
    'too much padding': '{"v":"YQ===","le":1,"pe":2}',
    'padding in the middle': '{"v":"YQ==YQ==","le":1,"pe":2}',
    'url-safe base64': '{"v":"-_-_","le":1,"pe":2}',
    'base64 with white space': '{"v":"YW Jj","le":1,"pe":2}',
    'base64 with a line break': '{"v":"YWJj\\n","le":1,"pe":2}',
    'base64 with other characters': '{"v":"YW\\u0159j","le":1,"pe":2}',
    'something behind it': '{"v":"","le":1,"pe":2}x',
    'a byte order mark before it': '\ufeff{"v":"","le":1,"pe":2}',
  }
  for (const [name, text] of Object.entries(cases)) {
    test(name, () => expect(outcome(ofText(text))).toBe('corrupt'))
  }
  test('bytes that are not UTF-8', () => {
    const bytes = Buffer.from('{"v":"","le":1,"pe":2,"x":"\xff"}', 'latin1')
    expect(outcome(bytes)).toBe('corrupt')
  })
})

describe('decodeEnvelope throws nothing but L2_CORRUPT_ENVELOPE', () => {
  test('on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), bytes => outcome(bytes) === 'corrupt'),
      { numRuns: 20_000 },
    )
  })

  test('on any JSON', () => {
    fc.assert(
      fc.property(fc.json(), text => outcome(ofText(text)) === 'corrupt'),
      { numRuns: 2_000 },
    )
  })

  test('on envelopes with a few bytes changed', () => {
    const change = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }) })
    fc.assert(
      fc.property(
        envelopes,
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (envelope, changes) => {
          const bytes = encodeEnvelope(envelope)
          for (const { at, to } of changes) bytes[at % bytes.length] = to
          outcome(bytes)
        },
      ),
      { numRuns: 5_000 },
    )
  })
})

/** What the wire format is, in the plainest words that zod has. */
const plainSchema = z.object({
  v: z.base64().nullable(),
  le: z.int(),
  pe: z.int(),
  t: z
    .array(z.string().refine(tag => tag.isWellFormed() && Buffer.byteLength(tag) <= 65_536))
    .nullish(),
  c: z.int().optional(),
})

test('the fast schema accepts exactly what a plain one accepts', () => {
  const base64Like = fc.oneof(
    fc.base64String({ maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(...'AQgw+/=-_ \n\u0141é'), maxLength: 8 }),
  )
  const wire = fc.record(
    {
      v: fc.oneof(base64Like, fc.constant(null), fc.jsonValue()),
      le: fc.oneof(fc.maxSafeInteger(), fc.double(), fc.jsonValue()),
      pe: fc.oneof(fc.maxSafeInteger(), fc.double()),
      t: fc.oneof(fc.array(fc.string({ unit: 'binary' })), fc.constant(null), fc.jsonValue()),
      c: fc.oneof(fc.maxSafeInteger(), fc.jsonValue()),
    },
    { requiredKeys: [] },
  )
  let accepted = 0
  fc.assert(
    fc.property(wire, json => {
      const reference = plainSchema.safeParse(json)
      const fast = envelopeSchema.safeParse(json)
      expect(fast.success).toBe(reference.success)
      if (!fast.success || !reference.success) return
      accepted++
      const { v, t } = reference.data
      expect(new Uint8Array(fast.data.v)).toEqual(new Uint8Array(Buffer.from(v ?? '', 'base64')))
      expect(fast.data.t).toEqual(t ?? [])
    }),
    { numRuns: 20_000 },
  )
  expect(accepted).toBeGreaterThan(200)
})

test('base64 of up to 5 characters is accepted exactly when it is standard and padded', () => {
  const alphabet = ['A', 'Q', '+', '=', '-', '\u0141']
  const texts = ['']
  for (let from = 0, length = 1; length <= 5; length++) {
    const end = texts.length
    for (; from < end; from++) for (const one of alphabet) texts.push(texts[from] + one)
  }
  for (const v of texts) {
    const reference = z.base64().safeParse(v).success
    expect([v, envelopeSchema.safeParse({ v, le: 1, pe: 2 }).success]).toEqual([v, reference])
  }
})

describe('a large envelope', () => {
  const large = (envelope: Partial<Envelope> = {}): Envelope => ({
    payload: new Uint8Array(4 * MIB).map((_, i) => i * 31),
    logicalExpiry: 1,
    physicalExpiry: NEVER,
    tags: ['größe'],
    createdAt: 3,
    ...envelope,
  })

  test('of 64 MiB comes back', () => {
    const envelope = large({ payload: new Uint8Array(64 * MIB).fill(7) })
    const decoded = decodeEnvelope(encodeEnvelope(envelope))
    expect(Buffer.compare(decoded.payload, envelope.payload)).toBe(0)
  })

  test('is read with its fields in any order, white space and escapes', () => {
    const v = Buffer.from(large().payload).toString('base64')
    for (const text of [
      `{"le":1,"pe":2,"t":["größe"],"v":"${v}"}`,
      `  {\n "x": {"v": "a"}, "v" : "${v}" , "le":1,"pe":2,"t":["größe"]}`,
      `{"v":"\\u0041${v.slice(1)}","le":1,"pe":2,"t":["größe"]}`,
    ]) {
      const decoded = decodeText(text)
      expect(Buffer.compare(decoded.payload, large().payload)).toBe(0)
      expect(decoded.tags).toEqual(['größe'])
    }
  })

  test('whose payload is not in v is corrupt', () => {
    const v = Buffer.from(large().payload).toString('base64')
    for (const text of [
      `{"x":"${v}","v":"","le":1,"pe":2}`,
      `{"x":{"v":"${v}"},"v":"","le":1,"pe":2}`,
      `{"v":"${v}","le":1,"pe":2,"v":"AAAA"}`,
      `["${v}"]`,
      `"${v}"`,
      v,
    ]) {
      expect(outcome(ofText(text))).toBe('corrupt')
    }
  })

  test('is corrupt where its base64 is', () => {
    const v = Buffer.from(large().payload).toString('base64')
    expect(outcome(ofText(`{"v":"${v.slice(0, -4)}*AAA","le":1,"pe":2}`))).toBe('corrupt')
  })

  // Parsed whole, 96 MiB of this take Node half a minute and gigabytes.
  test('of hostile JSON costs little', { timeout: 20_000 }, () => {
    for (const piece of ['{},', '[', '{"a":', '"a",']) {
      const bytes = Buffer.alloc(80 * MIB, piece)
      bytes.write('[')
      expect(outcome(bytes)).toBe('corrupt')
    }
  })

  test('over the bound is corrupt, unread', () => {
    expect(outcome(new Uint8Array(100 * MIB))).toBe('corrupt')
  })
})

describe('encodeEnvelope refuses', () => {
  const good: Envelope = { payload: ofText('a'), logicalExpiry: 1, physicalExpiry: 2, tags: [] }
  const cases: [string, typeof TypeError | typeof RangeError, object][] = [
    ['a payload that is no bytes', TypeError, { payload: 'a' }],
    ['a payload over 64 MiB', RangeError, { payload: new Uint8Array(64 * MIB + 1) }],
    ['a logical expiry after the physical one', RangeError, { logicalExpiry: 3 }],
    ['a fraction', RangeError, { logicalExpiry: 1.5 }],
    ['an unsafe integer', RangeError, { physicalExpiry: 2 ** 53 }],
    ['infinity', RangeError, { physicalExpiry: Number.POSITIVE_INFINITY }],
    ['a time as text', TypeError, { physicalExpiry: '2' }],
    ['a creation time that is none', RangeError, { createdAt: Number.NaN }],
    ['a tag that is none', TypeError, { tags: [1] }],
    ['tags with a hole', TypeError, { tags: new Array(1) }],
    ['tags that are no array', TypeError, { tags: 'ab' }],
    ['a tag with a lone surrogate', TypeError, { tags: ['\ud800'] }],
    ['tags over 1 MiB', RangeError, { tags: Array.from({ length: 17 }, () => 'x'.repeat(65_000)) }],
  ]
  for (const [name, error, fields] of cases) {
    test(name, () =>
      expect(() => encodeEnvelope({ ...good, ...fields } as Envelope)).toThrow(error),
    )
  }
})

describe('a hostile envelope', () => {
  test('of a million wrong tags costs little', { timeout: 10_000 }, () => {
    for (const tag of ['1', '{}', '"\\ud800"', 'null']) {
      const tags = new Array(Math.floor(2_000_000 / (tag.length + 1))).fill(tag).join()
      const bytes = ofText(`{"v":"","le":1,"pe":2,"t":[${tags}]}`)
      const before = process.memoryUsage().rss
      expect(outcome(bytes)).toBe('corrupt')
      expect(process.memoryUsage().rss - before).toBeLessThan(300 * MIB)
    }
  })

  test('of more than encodeEnvelope would write is corrupt', () => {
    const payload = Buffer.alloc(64 * MIB + 3).toString('base64')
    expect(outcome(ofText(`{"v":"${payload}","le":1,"pe":2}`))).toBe('corrupt')
    const tags = JSON.stringify(Array.from({ length: 28 }, (_, i) => `${i}${'x'.repeat(65_000)}`))
    expect(outcome(ofText(`{"v":"","le":1,"pe":2,"t":${tags}}`))).toBe('corrupt')
  })

  test('tells nothing of what is in it, whatever messages the program has given zod', () => {
    const { customError } = z.config()
    try {
      for (const custom of [
        (issue: { input?: unknown }) => `bad ${JSON.stringify(issue.input)}`,
        () => {
          throw new Error('of the program')
        },
      ]) {
        z.config({ customError: custom as never })
        const bytes = ofText('{"v":"","le":"hunter2","pe":2}')
        expect(outcome(bytes)).toBe('corrupt')
        expect(() => decodeEnvelope(bytes)).not.toThrow(/hunter2/)
      }
    } finally {
      z.config({ customError: customError as never })
    }
  })
})
