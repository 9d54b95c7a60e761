import { hybridSuite } from './hybrid-suite.js'
import { memorySuite } from './memory-suite.js'
import { storeSuite } from './store-suite.js'
import type { Suite } from './suite.js'

/** All there are, by name. */
export const SUITES: Readonly<Record<Suite['name'], Suite>> = {
  store: storeSuite,
  memory: memorySuite,
  hybrid: hybridSuite,
}
