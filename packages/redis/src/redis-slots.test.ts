import { expect, test } from 'vitest'
import { primariesIn, refusalIn, SLOT_OF_BUCKET } from './redis-slots.js'

const ASKED = { host: 'asked', port: 1 }

test('slots are those that Redis computes', () => {
  // As CLUSTER KEYSLOT answers.
  const expected = [13_907, 9_842, 1_716, 511, 10_499]
  expect([0, 1, 7, 18, 63].map(bucket => SLOT_OF_BUCKET[bucket])).toEqual(expected)
})

test('who has which bucket, also where a node does not know its own name', () => {
  const answer = [
    [0, 5_000, [Buffer.from('10.0.0.1'), 6_379, Buffer.from('id')], [Buffer.from('10.0.0.9'), 1]],
    [5_001, 10_000, [null, 7_000]],
    [10_001, 14_000, [Buffer.from(''), 7_001]],
  ]
  const found = primariesIn(answer, ASKED)
  for (const [bucket, slot] of SLOT_OF_BUCKET.entries()) {
    const expected =
      slot <= 5_000
        ? { host: '10.0.0.1', port: 6_379 }
        : slot <= 10_000
          ? { host: 'asked', port: 7_000 }
          : slot <= 14_000
            ? { host: 'asked', port: 7_001 }
            : undefined
    expect(found[bucket]).toEqual(expected)
  }
})

test.each([
  ['MOVED 3999 127.0.0.1:6381', { word: 'MOVED', to: { host: '127.0.0.1', port: 6_381 } }],
  ['ASK 3999 ::1:6381', { word: 'ASK', to: { host: '::1', port: 6_381 } }],
  ['MOVED 3999 :6381', { word: 'MOVED', to: { host: 'asked', port: 6_381 } }],
  ['MOVED 3999 ?:6381', { word: 'MOVED', to: { host: 'asked', port: 6_381 } }],
  ['TRYAGAIN Multiple keys request during rehashing of slot', { word: 'TRYAGAIN' }],
  [
    'ERR Script attempted to access a non local key in a cluster node script: a0fb, on @user_script:53.',
    { word: 'TRYAGAIN' },
  ],
  ['CLUSTERDOWN Hash slot not served', { word: 'CLUSTERDOWN' }],
  ['ERR MOVED', undefined],
  ["WRONGPASS invalid 'ASK 1 a:1'", undefined],
])('%s', (message, refusal) => {
  expect(refusalIn(new Error(message), ASKED)).toEqual(refusal)
})
