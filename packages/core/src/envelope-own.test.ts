import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeEnvelope, envelopeSchema } from './envelope.js'
import { parseEnvelopeJson } from './envelope-json.js'
import { readOwn } from './envelope-own.js'

const envelopes = fc
  .record({
    payload: fc.uint8Array({ maxLength: 60 }),
    times: fc.tuple(fc.maxSafeInteger(), fc.maxSafeInteger()),
    tags: fc.array(fc.string({ unit: fc.constantFrom(...'a1",:[]{}\\'), maxLength: 6 }), {
      maxLength: 3,
    }),
    createdAt: fc.option(fc.maxSafeInteger(), { nil: undefined }),
  })
  .map(({ payload, times, tags, createdAt }) => {
    const [logicalExpiry, physicalExpiry] = times.sort((a, b) => a - b) as [number, number]
    return { payload, logicalExpiry, physicalExpiry, tags, createdAt }
  })

test('reads what encodeEnvelope writes, where its tags are ASCII', () => {
  fc.assert(
    fc.property(envelopes, envelope => {
      const { payload: v, logicalExpiry: le, physicalExpiry: pe, tags: t, createdAt: c } = envelope
      expect(readOwn(encodeEnvelope(envelope))).toEqual({
        v,
        le,
        pe,
        t,
        ...(c !== undefined && { c }),
      })
    }),
  )
})

test('what it reads the parser and the schema read alike, whatever was changed', () => {
  const change = fc.record({
    at: fc.nat(),
    to: fc.constantFrom(...'"\\,:[]{}0129-+.eE=/A u\u00e9'),
    remove: fc.nat({ max: 2 }),
  })
  let read = 0
  fc.assert(
    fc.property(
      envelopes,
      fc.array(change, { minLength: 1, maxLength: 3 }),
      (envelope, changes) => {
        let text = Buffer.from(encodeEnvelope(envelope)).toString('latin1')
        for (const { at, to, remove } of changes) {
          const place = at % text.length
          text = text.slice(0, place) + to + text.slice(place + remove)
        }
        const bytes = Buffer.from(text, 'latin1')
        const own = readOwn(bytes)
        if (own === undefined) return
        read++
        expect(envelopeSchema.parse(parseEnvelopeJson(bytes))).toEqual(own)
      },
    ),
    { numRuns: 20_000 },
  )
  expect(read).toBeGreaterThan(500)
})

test.each([
  '{"v":"YQ==","le":01,"pe":2}',
  '{"v":"YQ==","le":1,"pe":9007199254740993}',
  '{"v":"YQ==","le":1,"pe":2,"t":["a"],"x":[1]}',
  '{"v":"YQ==","le":1,"pe":2,"t":[1]}',
  '{"v":"YQ==","le":1,"pe":2,"t":["\\ud800"]}',
  '{"v":"YQ=","le":1,"pe":2}',
  '{"v":"Y\\n==","le":1,"pe":2}',
  '{"v":null,"le":1,"pe":2}',
  '{"v":"YQ==","le":1,"pe":2} ',
  '{"v":"YQ==',
  '',
])('leaves %j to the parser', text => {
  expect(readOwn(Buffer.from(text))).toBeUndefined()
})
