import { isDeepStrictEqual } from 'node:util'
import { mustNotMake } from './answers.js'
import type { CacheSubject } from './cache-subject.js'
import { madeUp } from './made-up.js'

/** Rejects where the cache answers wrongly, so that nobody is fast by doing nothing. */
export async function verifyCache(cache: CacheSubject): Promise<void> {
  await expectMiss(cache, 'a')
  await cache.set('a', madeUp(1))
  await cache.set('b', madeUp(2))
  await expectHit(cache, 'a', madeUp(1))
  await expectHit(cache, 'b', madeUp(2))
  await cache.set('a', madeUp(3))
  await expectHit(cache, 'a', madeUp(3))
  expectSame(await cache.getOrSet('a', mustNotMake), madeUp(3))
  await cache.delete('a')
  await expectMiss(cache, 'a')
  await expectHit(cache, 'b', madeUp(2))
  await cache.delete('b')

  if ((await stampede(cache, 'c', 20)) !== 1)
    throw new Error('calls for one key did not share its factory')
  await expectHit(cache, 'c', madeUp(4))
  await cache.delete('c')
}

/** The same of tags, where the cache has them. */
export async function verifyTags(cache: CacheSubject): Promise<void> {
  const { setTagged, getOrSetTagged, deleteByTag } = cache
  if (!setTagged || !getOrSetTagged || !deleteByTag) return
  await setTagged('a', madeUp(1), ['x', 'y', 'z'])
  await setTagged('b', madeUp(2), ['x', 'y', 'z'])
  await setTagged('b', madeUp(3), ['u', 'v', 'w'])
  expectSame(await getOrSetTagged('a', mustNotMake, ['x', 'y', 'z']), madeUp(1))
  await deleteByTag('y')
  await expectMiss(cache, 'a')
  await expectHit(cache, 'b', madeUp(3))
  await deleteByTag('w')
  await expectMiss(cache, 'b')
}

/** The same of two caches over one server. */
export async function verifyShared(one: CacheSubject, other: CacheSubject): Promise<void> {
  await one.set('shared', madeUp(5))
  expectSame(await other.getOrSet('shared', mustNotMake), madeUp(5))
  await one.delete('shared')
}

/** Asks for a key that nobody has, so many times at once; answers how often it was made. */
export async function stampede(cache: CacheSubject, key: string, calls: number): Promise<number> {
  let made = 0
  const make = (): object => {
    made++
    return madeUp(4)
  }
  const values = await Promise.all(Array.from({ length: calls }, () => cache.getOrSet(key, make)))
  for (const value of values) expectSame(value, madeUp(4))
  return made
}

async function expectHit(cache: CacheSubject, key: string, value: object): Promise<void> {
  expectSame(await cache.get(key), value)
}

function expectSame(got: unknown, value: object): void {
  if (!isDeepStrictEqual(got, value)) throw new Error('it did not answer what was stored')
}

async function expectMiss(cache: CacheSubject, key: string): Promise<void> {
  const got = await cache.get(key)
  if (got !== undefined && got !== null) throw new Error('get answered what is not stored')
}
