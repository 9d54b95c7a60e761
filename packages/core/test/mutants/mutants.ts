import { bytes } from './bytes.js'
import { expiry } from './expiry.js'
import { faults } from './faults.js'
import { isolation } from './isolation.js'
import { misuse } from './misuse.js'
import type { Mutant } from './mutant.js'
import { names } from './names.js'
import { order } from './order.js'
import { residue } from './residue.js'
import { tags } from './tags.js'

/** All of them, as the kit's README lists them. */
export const mutants: readonly Mutant[] = [
  ...bytes,
  ...names,
  ...expiry,
  ...tags,
  ...isolation,
  ...order,
  ...residue,
  ...misuse,
  ...faults,
]
