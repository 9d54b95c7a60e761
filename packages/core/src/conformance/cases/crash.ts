import { ConformanceError, expectHit, expectMiss, expectTrue, show } from '../check.js'
import { bytes } from '../context.js'
import { type Definition, must } from '../define.js'

const ROUNDS = 5

/** The number of the tag that a value of the `crash` hook was set with. @throws where it is not whole. */
function tagOf(value: Uint8Array): number {
  const [number = -1] = value
  const whole = value.length === 1_000 && number <= 2 && value.every(byte => byte === number)
  if (!whole)
    throw new ConformanceError(
      'a process killed in the middle of a set',
      'a whole value',
      show(value),
    )
  return number
}

export const crash: readonly Definition[] = [
  must(
    'crash.whole',
    'What a crash may cost',
    'set',
    'leave no half value of a process that was killed',
    async context => {
      const adapter = await context.open()
      for (let round = 0; round < ROUNDS; round++) {
        await context.crash(`k${round}`)
        const seen = await adapter.get(`k${round}`)
        if (seen !== undefined) tagOf(seen)
      }
    },
    ['crash'],
  ),

  must(
    'crash.no-orphans',
    'No orphans',
    'set deleteByTag',
    'let the tags of its value, and no others, remove an entry whose writer was killed',
    async context => {
      const adapter = await context.open()
      for (let round = 0; round < ROUNDS; round++) {
        const key = `k${round}`
        await context.crash(key)
        const seen = await adapter.get(key)
        if (seen === undefined) continue
        const tag = tagOf(seen)
        for (const other of [0, 1, 2].filter(each => each !== tag)) {
          await adapter.deleteByTag(`${key}:${other}`)
          await expectHit(
            adapter,
            key,
            seen,
            `killed after set with ['${key}:${tag}'], deleteByTag('${key}:${other}')`,
          )
        }
        await adapter.deleteByTag(`${key}:${tag}`)
        await expectMiss(adapter, key, `killed after set with ['${key}:${tag}'], deleteByTag of it`)
      }
    },
    ['crash'],
  ),

  must(
    'crash.others-go-on',
    'What a crash may cost',
    'get set delete deleteByTag',
    'keep what was acknowledged, and go on, when another process is killed',
    async context => {
      const adapter = await context.open()
      await adapter.set('kept', bytes('v'), { tags: ['t'] })
      await adapter.set('gone', bytes('v'), { tags: ['u'] })
      await adapter.deleteByTag('u')
      await context.crash('k')
      await expectHit(adapter, 'kept', bytes('v'), 'set, then another process was killed')
      await expectMiss(adapter, 'gone', 'deleteByTag, then another process was killed')
      await adapter.set('k', bytes('mine'), { tags: ['mine'] })
      await expectHit(
        adapter,
        'k',
        bytes('mine'),
        'set under the key that the killed process was setting',
      )
      for (const tag of [0, 1, 2]) await adapter.deleteByTag(`k:${tag}`)
      await expectHit(adapter, 'k', bytes('mine'), 'deleteByTag of the tags of the killed process')
      await adapter.deleteByTag('t')
      await expectMiss(adapter, 'kept', 'deleteByTag after another process was killed')
    },
    ['crash'],
  ),

  must(
    'crash.no-residue',
    'No residue',
    'set',
    'leave no bookkeeping of a killed process once its entries are gone',
    async context => {
      const adapter = await context.open()
      for (let round = 0; round < ROUNDS; round++) await context.crash(`k${round}`)
      for (let round = 0; round < ROUNDS; round++) await adapter.delete(`k${round}`)
      await context.sweep()
      const seen = await context.residue()
      expectTrue(
        seen === 0,
        'processes killed in the middle of a set, delete, sweep',
        'no bookkeeping',
        `${seen} records`,
      )
    },
    ['crash', 'residue', 'sweep'],
  ),
]
