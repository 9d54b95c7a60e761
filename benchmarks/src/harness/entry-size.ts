import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { eachOf, Keys, someValues, tagsOf } from './keys.js'
import type { Place, Subject } from './subject.js'

/** What an entry takes in the subject's store, or in its files, once it was filled and closed. */
export async function bytesPerEntry(
  subject: Subject,
  { folder }: Place,
  count: number,
): Promise<number> {
  const { all } = new Keys('entry', count)
  const value = someValues().map(bytes => subject.toValue?.(bytes) ?? bytes)
  const before = (await subject.usedBytes?.()) ?? 0
  let at = 0
  await eachOf(all, key => {
    const one = value[at++ % value.length]
    return subject.setTagged ? subject.setTagged(key, one, tagsOf(key)) : subject.set(key, one)
  })
  const after = await subject.usedBytes?.()
  await subject.close()
  if (after !== undefined) return (after - before) / all.length
  const sizes = readdirSync(folder).map(name => statSync(join(folder, name)).size)
  return sizes.reduce((sum, size) => sum + size, 0) / all.length
}
