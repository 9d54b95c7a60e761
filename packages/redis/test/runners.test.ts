import { testRunners } from '../../core/test/support/runners.js'

testRunners(new URL('support/redis-cases.mjs', import.meta.url), 300_000)
