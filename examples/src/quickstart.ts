import { Cache } from '@l2/cache'
import { SqliteAdapter } from '@l2/sqlite'
import { askAll, keyOf, pairs } from './borders.js'
import { readCities } from './cities.js'
import { Report } from './report.js'
import { startSecondProcess } from './second-client.js'

const path = process.argv[2] ?? 'cache.db'
const adapter = new SqliteAdapter({ path })
// Without its own memory (L1), so that it sees at once what the other process invalidates.
const cache = new Cache({ l2: adapter, l1: false, defaults: { ttl: '5m' } })
// A cache goes on without its L2; an example that shows it must not.
cache.on('l2Error', ({ error }) => {
  throw error
})
// An earlier run may have left its file.
await cache.clear()

const keys = pairs.map(([a, b]) => keyOf(a, b))
const french = keys.filter(key => key.includes('FR'))
const others = keys.length - french.length

const cities = readCities().length.toLocaleString('en')
console.log(`\
The query: which two cities of two countries are closest, for ${keys.length} pairs of countries
and ${cities} cities (GeoNames, CC BY 4.0). Two processes share one SQLite file.
`)
const report = new Report()

const filled = await askAll(cache)
report.round('1', 'asks, the file is empty', filled, { computed: keys })

// Process 2 is an ordinary cache: own memory in front of the file.
const second = startSecondProcess(path)
report.round('2', 'starts, asks the same', await second.ask(), { l2Hits: keys.length })
report.round('2', 'asks again', await second.ask(), { l1Hits: keys.length })
report.step('2', "deleteByTag('country:FR')", await second.deleteByTag('country:FR'))

report.round('1', 'asks again', await askAll(cache), { l2Hits: others, computed: french })
report.round('2', 'asks again', await second.ask(), { l1Hits: others, l2Hits: french.length })

await second.end()
await cache.close()
await adapter.close()

const [closest] = filled.answers.toSorted((a, b) => a.km - b.km)
console.log(`
Closest of all: ${closest?.from} and ${closest?.to}, ${closest?.km.toFixed(1)} km.
L1: the process's own memory. L2: the file that both share. A miss runs the query.
Process 1 runs with l1: false. With an L1 of its own it could go on returning its copy of what
process 2 invalidated until the ttl is over. All counts are as they should be.`)
