import { expectHit, expectHits, expectMiss, expectMisses } from '../check.js'
import { bytes, elapse } from '../context.js'
import { type Definition, must } from '../define.js'

export const tags: readonly Definition[] = [
  must(
    'tags.exactly-those',
    'Tags',
    'set deleteByTag',
    'remove what carries the tag and nothing else',
    async context => {
      const adapter = await context.open()
      await adapter.set('a', bytes('a'), { tags: ['x'] })
      await adapter.set('b', bytes('b'), { tags: ['x', 'y'] })
      await adapter.set('c', bytes('c'), { tags: ['y'] })
      await adapter.set('d', bytes('d'))
      await adapter.deleteByTag('x')
      await expectMiss(adapter, 'a', "tags ['x'], deleteByTag('x')")
      await expectMiss(adapter, 'b', "tags ['x', 'y'], deleteByTag('x')")
      await expectHit(adapter, 'c', bytes('c'), "tags ['y'], deleteByTag('x')")
      await expectHit(adapter, 'd', bytes('d'), "no tags, deleteByTag('x')")
    },
  ),

  must(
    'tags.each-of-many',
    'Tags',
    'set deleteByTag',
    'find an entry by each of its tags',
    async context => {
      const adapter = await context.open()
      const many = Array.from({ length: 50 }, (_, i) => `tag ${i}`)
      for (const tag of many) {
        await adapter.set('k', bytes(tag), { tags: many })
        await adapter.deleteByTag(tag)
        await expectMiss(adapter, 'k', `50 tags, deleteByTag('${tag}')`)
      }
    },
  ),

  must(
    'tags.many-entries',
    'Tags',
    'set deleteByTag',
    'remove 3 000 entries of a tag',
    async context => {
      const adapter = await context.open()
      const indexes = Array.from({ length: 3_000 }, (_, i) => i)
      await Promise.all(
        indexes.map(i =>
          adapter.set(`k${i}`, bytes(`${i}`), { tags: ['all', i % 3 === 0 ? 'third' : 'rest'] }),
        ),
      )
      const keys = indexes.map(i => `k${i}`)
      const expectedOf = (key: string): Uint8Array => bytes(key.slice(1))
      await adapter.deleteByTag('third')
      const third = keys.filter((_, i) => i % 3 === 0)
      await expectMisses(adapter, third, "deleteByTag('third')")
      const rest = keys.filter((_, i) => i % 3 !== 0)
      await expectHits(adapter, rest, expectedOf, "deleteByTag('third') of the others")
      await adapter.deleteByTag('all')
      await expectMisses(adapter, keys, "deleteByTag('all')")
    },
  ),

  must(
    'tags.set-of-tags',
    'Tags',
    'set deleteByTag',
    'take tags for a set: duplicates and order do not matter',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('1'), { tags: ['b', 'a', 'b', 'b'] })
      await adapter.set('k', bytes('2'), { tags: ['a', 'a', 'b'] })
      await adapter.deleteByTag('b')
      await expectMiss(
        adapter,
        'k',
        "tags ['b', 'a', 'b', 'b'], then ['a', 'a', 'b'], deleteByTag('b')",
      )
      await adapter.set('k', bytes('3'), { tags: ['a'] })
      await adapter.deleteByTag('b')
      await expectHit(adapter, 'k', bytes('3'), "tags ['a'], deleteByTag('b')")
    },
  ),

  must(
    'tags.short-lived-sibling',
    'No residue',
    'set deleteByTag',
    'find a long-lived entry after its siblings expired',
    async context => {
      const adapter = await context.open()
      // Each order: a bookkeeping with a ttl of its own takes that of the first, last or shortest.
      await adapter.set('short first', bytes('1'), { ttl: 15, tags: ['t'] })
      await adapter.set('long', bytes('2'), { ttl: 60_000, tags: ['t'] })
      await adapter.set('never', bytes('3'), { tags: ['t'] })
      await adapter.set('short last', bytes('4'), { ttl: 15, tags: ['t'] })
      await elapse(60)
      await adapter.set('later', bytes('5'), { ttl: 60_000, tags: ['t'] })
      await adapter.deleteByTag('t')
      for (const key of ['long', 'never', 'later'])
        await expectMiss(adapter, key, "siblings of ttl 15 expired, deleteByTag('t')")
    },
  ),

  must(
    'tags.prefixes-of-each-other',
    'Tags',
    'set deleteByTag',
    'tell tags apart that begin alike',
    async context => {
      const adapter = await context.open()
      for (const tag of ['user', 'user:1', 'user:10', 'user:1:posts'])
        await adapter.set(tag, bytes(tag), { tags: [tag] })
      await adapter.deleteByTag('user:1')
      await expectMiss(adapter, 'user:1', "deleteByTag('user:1')")
      for (const tag of ['user', 'user:10', 'user:1:posts'])
        await expectHit(adapter, tag, bytes(tag), `deleteByTag('user:1'), entry with ['${tag}']`)
    },
  ),

  must(
    'tags.joined',
    'Tags',
    'set deleteByTag',
    'not take a tag with separators for several',
    async context => {
      const adapter = await context.open()
      const odd = ['a,b', 'a b', 'a\0b', 'a\nb', 'a|b', '["a","b"]', 'a;b', 'a\x1fb']
      for (const tag of odd) await adapter.set(tag, bytes(tag), { tags: [tag] })
      await adapter.set('both', bytes('both'), { tags: ['a', 'b'] })
      for (const tag of odd.slice(1)) await adapter.deleteByTag(tag)
      await expectHit(
        adapter,
        'both',
        bytes('both'),
        "tags ['a', 'b'], deleteByTag of joined names",
      )
      await adapter.deleteByTag('a')
      await expectHit(adapter, 'a,b', bytes('a,b'), "tags ['a,b'], deleteByTag('a')")
      await expectMiss(adapter, 'both', "tags ['a', 'b'], deleteByTag('a')")
    },
  ),

  must(
    'tags.mixed-ttls',
    'No residue',
    'set deleteByTag',
    'find each member of a tag whose members have short, long and no ttl, in any order',
    async context => {
      const adapter = await context.open()
      const ttls = [15, 60_000, 0]
      const orders = ttls.flatMap(a => ttls.flatMap(b => ttls.map(c => [a, b, c])))
      for (const [i, order] of orders.entries())
        for (const [j, ttl] of order.entries())
          await adapter.set(`${i}.${j}`, bytes('v'), { ttl, tags: [`t${i}`] })
      await elapse(40)
      for (const [i, order] of orders.entries()) {
        const living = order.flatMap((ttl, j) => (ttl === 15 ? [] : [`${i}.${j}`]))
        for (const key of living)
          await expectHit(adapter, key, bytes('v'), `ttls ${order} under one tag, 40 ms`)
        await adapter.deleteByTag(`t${i}`)
        for (const key of living)
          await expectMiss(adapter, key, `ttls ${order} under one tag, 40 ms, deleteByTag`)
      }
    },
  ),

  must(
    'tags.255',
    'Tags',
    'set deleteByTag',
    'take 255 tags for one entry, and change them',
    async context => {
      const adapter = await context.open()
      const many = Array.from({ length: 255 }, (_, i) => `tag ${i} ${'x'.repeat(i)}`)
      await adapter.set('k', bytes('1'), { tags: many })
      await adapter.set('k', bytes('2'), { tags: many.slice(100) })
      await adapter.deleteByTag(many[99] as string)
      await expectHit(
        adapter,
        'k',
        bytes('2'),
        '255 tags, then 155 of them, deleteByTag of one that went',
      )
      await adapter.deleteByTag(many[254] as string)
      await expectMiss(adapter, 'k', '255 tags, then 155 of them, deleteByTag of one that stayed')
    },
  ),
]
