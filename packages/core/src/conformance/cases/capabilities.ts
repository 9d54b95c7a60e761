import { expectHit, expectTrue } from '../check.js'
import { bytes } from '../context.js'
import { type Definition, must } from '../define.js'
import { NO_TAGS } from '../run-case.js'

export const capabilities: readonly Definition[] = [
  must(
    'capabilities.stay',
    'Tags optional',
    'get',
    'declare capabilities that are an object, or none',
    async context => {
      const { capabilities: seen } = await context.open()
      const right = seen === undefined || (typeof seen === 'object' && seen !== null)
      expectTrue(right, 'adapter.capabilities', 'an object or undefined', String(seen))
      const { tags } = seen ?? {}
      const known = tags === undefined || typeof tags === 'boolean'
      expectTrue(known, 'adapter.capabilities.tags', 'a boolean or undefined', String(tags))
    },
  ),

  must(
    NO_TAGS,
    'Tags optional',
    'set deleteByTag',
    'say that it has no tags, take them and do nothing with them',
    async context => {
      const adapter = await context.open()
      const { tags } = adapter.capabilities ?? {}
      expectTrue(tags === false, 'adapter.capabilities.tags', 'false', String(tags))
      await adapter.set('k', bytes('v'), { tags: ['t'] })
      await adapter.deleteByTag('t')
      await expectHit(adapter, 'k', bytes('v'), 'deleteByTag on an adapter without tags')
    },
  ),
]
