import { describe, expect, it } from 'vitest'
import { jsonSerializer } from './serializer.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('jsonSerializer', () => {
  it.each([
    [null],
    [0],
    [''],
    [false],
    ['größer 🎈 \u0000 \ud800'],
    [[1, 'a', null]],
    [{ a: { b: [] }, constructor: { prototype: 1 }, text: 'has __proto__ in it \\u005f' }],
  ])('carries %j', value => {
    expect(jsonSerializer.deserialize(jsonSerializer.serialize(value))).toEqual(value)
  })

  it('reads a view into a larger buffer', () => {
    const buffer = Buffer.from('xx{"a":1}xx')
    expect(jsonSerializer.deserialize(buffer.subarray(2, 9))).toEqual({ a: 1 })
  })

  it.each([[() => 1], [Symbol('s')], [1n]])('does not write %s', value => {
    expect(() => jsonSerializer.serialize(value)).toThrow(TypeError)
  })

  it.each(['', '{', '{"a":1}x', "{'a':1}", 'undefined', 'NaN'])('refuses %j', text => {
    expect(() => jsonSerializer.deserialize(bytes(text))).toThrow(SyntaxError)
  })

  it('refuses broken UTF-8, which would become U+FFFD unnoticed', () => {
    expect(() => jsonSerializer.deserialize(Uint8Array.of(0x22, 0xff, 0x22))).toThrow('not UTF-8')
  })

  it.each([
    '{"__proto__":{"polluted":1}}',
    '[{"a":{"__proto__":null}}]',
    '{"\\u005f_proto__":{"polluted":1}}',
    '{"__\\u0070roto__":{"polluted":1}}',
  ])('refuses the key __proto__: %s', text => {
    expect(() => jsonSerializer.deserialize(bytes(text))).toThrow('a key is __proto__')
  })

  it('reads any nesting or refuses it, without a crash', () => {
    const deep = `${'['.repeat(200_000)}"__proto__"${']'.repeat(200_000)}`
    let outcome = 'read'
    try {
      jsonSerializer.deserialize(bytes(deep))
    } catch (error) {
      outcome = error instanceof RangeError || error instanceof SyntaxError ? 'refused' : 'else'
    }
    expect(['read', 'refused']).toContain(outcome)
  })
})
