// @ts-check

/** @typedef {import('ioredis').Redis | import('ioredis').Cluster} Redis */

const BUCKETS = 64

/** What an adapter with this prefix calls its things, by the page "In Redis" of the README. */
export function namesUnder(/** @type {string} */ prefix) {
  const escaped = prefix.replace(
    /[%{}]/g,
    one => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return Array.from({ length: BUCKETS }, (_, bucket) => {
    const start = `${escaped}{${bucket}}`
    return { start, fence: `${start}f`, index: `${start}x` }
  })
}

/**
 * How much is kept beside records: members, and fences and indexes that are not both there.
 *
 * @param {Redis} raw
 * @param {string} prefix
 */
export async function bookkeepingUnder(raw, prefix) {
  const names = namesUnder(prefix)
  const counts = await Promise.all(
    names.map(async ({ fence, index }) => {
      const [members, fences] = await Promise.all([raw.zcard(index), raw.exists(fence)])
      return members > 0 && fences === 1 ? members : members + fences
    }),
  )
  return counts.reduce((sum, one) => sum + one, 0)
}

/**
 * Every key under the prefix, records and bookkeeping.
 *
 * @param {Redis} raw
 * @param {string} prefix
 */
export async function allUnder(raw, prefix) {
  const starts = namesUnder(prefix).map(({ start }) => start)
  const found = []
  for (const node of 'nodes' in raw ? raw.nodes('master') : [raw]) {
    let cursor = '0'
    do {
      const [next, keys] = await node.scan(cursor, 'COUNT', 1_000)
      cursor = next
      found.push(...keys.filter(key => starts.some(start => key.startsWith(start))))
    } while (cursor !== '0')
  }
  return [...new Set(found)].sort()
}

/**
 * Members of the index of tagged records that are missing: an entry that some tag would not remove.
 *
 * @param {Redis} raw
 * @param {string} prefix
 */
export async function orphansUnder(raw, prefix) {
  const orphans = []
  const names = await allUnder(raw, prefix)
  for (const { start, fence, index } of namesUnder(prefix)) {
    const [epoch, list] = await Promise.all([
      raw.getBuffer(fence),
      raw.zrangebylexBuffer(index, '-', '+'),
    ])
    if (epoch === null) continue
    const members = new Set(list.map(each => each.toString('latin1')))
    const records = names.filter(name => name.startsWith(`${start}k`))
    const values = records.length > 0 ? await raw.mgetBuffer(records) : []
    for (const [i, record] of values.entries()) {
      // Those without tags may be shorter than an epoch.
      if (!record?.subarray(0, 16).equals(epoch)) continue
      const name = /** @type {string} */ (records[i])
      const tags = record.toString('latin1', 16, record.indexOf(0xfe, 16)).split('\xff')
      const key = Buffer.from(name.slice(start.length + 1)).toString('latin1')
      for (const tag of tags) if (!members.has(`${tag}\xff${key}`)) orphans.push(`${name} ${tag}`)
    }
  }
  return orphans
}
