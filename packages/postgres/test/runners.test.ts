import { testRunners } from '../../core/test/support/runners.js'

testRunners(new URL('support/postgres-cases.mjs', import.meta.url), 300_000)
