// @ts-check
import { allUnder, namesUnder } from './look-inside.mjs'

/** @typedef {import('./look-inside.mjs').Redis} Redis */

/** How long a draft may live, in ms. */
const DRAFT = 60_000

/**
 * What must never be in a Redis, by the page "In Redis" of the README, whoever died in the middle and
 * whatever was evicted. Nobody may work meanwhile.
 *
 * @param {Redis} raw
 * @param {string} prefix
 */
export async function faultsUnder(raw, prefix) {
  const names = await allUnder(raw, prefix)
  const lists = await Promise.all(
    namesUnder(prefix).map(bucket =>
      faultsOf(
        raw,
        bucket,
        names.filter(name => name.startsWith(bucket.start)),
      ),
    ),
  )
  return lists.flat()
}

/**
 * @param {Redis} raw
 * @param {ReturnType<typeof namesUnder>[number]} bucket
 * @param {string[]} names
 */
async function faultsOf(raw, { start, fence, index }, names) {
  const found = []
  const [epoch, list, ...lives] = await Promise.all([
    raw.getBuffer(fence),
    raw.zrangebylexBuffer(index, '-', '+'),
    raw.pttl(fence),
    raw.pttl(index),
  ])
  const members = new Set(list.map(each => each.toString('latin1')))
  for (const name of names) {
    const rest = name.slice(start.length)
    if (name === fence || name === index) continue
    const left = await raw.pttl(name)
    if (rest.startsWith('d')) {
      if (left === -1 || left > DRAFT) found.push(`a draft lives for ${left} ms: ${quoted(name)}`)
    } else if (rest.startsWith('k')) {
      const record = await raw.getBuffer(name)
      // An index that is gone takes its records along as soon as someone notices: none of them stays.
      if (record === null || epoch === null || list.length === 0) continue
      if (!record.subarray(0, epoch.length).equals(epoch)) continue
      for (const life of lives)
        if (life >= 0 && (left === -1 || left > life))
          found.push(`${quoted(name)} lives for ${left} ms, and its bookkeeping for ${life}`)
      const tags = record.toString('latin1', 16, record.indexOf(0xfe, 16)).split('\xff')
      const key = Buffer.from(rest.slice(1)).toString('latin1')
      for (const tag of tags)
        if (!members.has(`${tag}\xff${key}`))
          found.push(`an orphan: ${quoted(name)} of tag ${quoted(Buffer.from(tag, 'latin1'))}`)
    } else found.push(`a name that nobody knows: ${quoted(name)}`)
  }
  return found
}

const quoted = (/** @type {string | Buffer} */ name) => JSON.stringify(String(name))

/**
 * How much is kept that is no record, but for drafts of writers that died, which go by themselves.
 * Records without bookkeeping are misses: a clear() that was cut off leaves them, and the next one
 * removes them.
 *
 * @param {Redis} raw
 * @param {string} prefix
 */
export async function bookkeepingLeft(raw, prefix) {
  const starts = namesUnder(prefix).map(({ start }) => start)
  const names = await allUnder(raw, prefix)
  const kinds = names.map(name => name[starts.find(each => name.startsWith(each))?.length ?? 0])
  return kinds.filter(kind => kind !== 'd' && kind !== 'k').length
}
