import { testRunners } from './support/runners.js'

testRunners(new URL('support/memory-subject.mjs', import.meta.url), 120_000)
