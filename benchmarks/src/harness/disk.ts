import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { eachOf, Keys, someValues, tagsOf } from './keys.js'
import type { Place, Subject } from './subject.js'

/** Bytes of all files in the place, per entry, after the subject was filled and closed. */
export async function bytesPerEntry(
  subject: Subject,
  { folder }: Place,
  count: number,
): Promise<number> {
  const { all } = new Keys('entry', count)
  const value = someValues().map(bytes => subject.toValue?.(bytes) ?? bytes)
  let at = 0
  await eachOf(all, key => {
    const one = value[at++ % value.length]
    return subject.setTagged ? subject.setTagged(key, one, tagsOf(key)) : subject.set(key, one)
  })
  await subject.close()
  const sizes = readdirSync(folder).map(name => statSync(join(folder, name)).size)
  return sizes.reduce((sum, size) => sum + size, 0) / all.length
}
