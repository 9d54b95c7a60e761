import { expect, test } from 'vitest'
import { byteaArray, float8Array, int8Array } from './postgres-arrays.js'

const hex = (bytes: Buffer): string => bytes.toString('hex')

test('arrays are as array_send() writes them', () => {
  // SELECT array_send(ARRAY['\x00ff', '']::bytea[]), and so on, on PostgreSQL 15.
  expect(hex(byteaArray([Buffer.from([0, 255]), Buffer.alloc(0)]))).toBe(
    '00000001000000000000001100000002000000010000000200ff00000000',
  )
  expect(hex(float8Array([0.5]))).toBe(
    '00000001000000000000' + '02bd0000000100000001000000083fe0000000000000',
  )
  expect(hex(int8Array([Buffer.from('0000000000000007', 'hex')]))).toBe(
    '00000001000000000000001400000001000000010000000800000000' + '00000007',
  )
})
