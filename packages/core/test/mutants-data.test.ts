import { bytes } from './mutants/bytes.js'
import { testMutants } from './mutants/catch.js'
import { expiry } from './mutants/expiry.js'
import { names } from './mutants/names.js'

testMutants([...bytes, ...names, ...expiry])
