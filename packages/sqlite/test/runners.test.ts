import { testRunners } from '../../core/test/support/runners.js'

testRunners(new URL('support/sqlite-cases.mjs', import.meta.url), 180_000)
