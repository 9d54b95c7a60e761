import { isDeepStrictEqual } from 'node:util'
import { someValues } from './keys.js'
import { onceEach } from './once-each.js'
import type { Subject } from './subject.js'
import { worksOf } from './works.js'

/**
 * Rejects where the subject answers wrongly, so that nobody is fast by doing nothing; then does each
 * of its works once.
 */
export async function verify(subject: Subject): Promise<void> {
  const [first, second, third] = someValues().map(bytes => subject.toValue?.(bytes) ?? bytes)
  await expectMiss(subject, 'a')
  await subject.set('a', first)
  await subject.set('b', second)
  await expectHit(subject, 'a', first)
  await expectHit(subject, 'b', second)
  await subject.set('a', third)
  await expectHit(subject, 'a', third)
  await subject.delete('a')
  await expectMiss(subject, 'a')
  await expectHit(subject, 'b', second)
  await subject.delete('b')

  if (subject.setTagged && subject.deleteByTag) {
    await subject.setTagged('a', first, ['x', 'y', 'z'])
    await subject.setTagged('b', second, ['x', 'y', 'z'])
    await subject.setTagged('b', third, ['u', 'v', 'w'])
    await expectHit(subject, 'a', first)
    await subject.deleteByTag('y')
    await expectMiss(subject, 'a')
    await expectHit(subject, 'b', third)
    await subject.deleteByTag('w')
    await expectMiss(subject, 'b')
  }

  await onceEach(worksOf(subject, 20))
}

async function expectHit(subject: Subject, key: string, value: unknown): Promise<void> {
  const got = await subject.get(key)
  if (!isDeepStrictEqual(plain(got), plain(value)))
    throw new Error('get did not answer what was set')
}

async function expectMiss(subject: Subject, key: string): Promise<void> {
  const got = await subject.get(key)
  if (got !== undefined && got !== null) throw new Error('get answered what is not stored')
}

/** A Buffer of the same bytes as a Uint8Array is the same value. */
const plain = (value: unknown): unknown => (value instanceof Uint8Array ? [...value] : value)
