import { expect, it } from 'vitest'
import { jsonSerializer } from './serializer.js'
import { Values } from './values.js'

it('keeps bytes, with clone, that hold no more memory than they have: Buffers share a pool of 8 KiB', () => {
  const values = new Values(jsonSerializer, true, false)
  for (const kept of [values.kept('v'), values.keptOf(jsonSerializer.serialize('v'))]) {
    expect(values.given(kept)).toBe('v')
    expect((kept as Uint8Array).buffer.byteLength).toBe('"v"'.length)
  }
})
