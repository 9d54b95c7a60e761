import { testMutants } from './mutants/catch.js'
import { isolation } from './mutants/isolation.js'
import { residue } from './mutants/residue.js'
import { tags } from './mutants/tags.js'

testMutants([...tags, ...isolation, ...residue])
