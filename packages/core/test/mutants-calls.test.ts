import { testMutants } from './mutants/catch.js'
import { faults } from './mutants/faults.js'
import { misuse } from './mutants/misuse.js'
import { order } from './mutants/order.js'

testMutants([...order, ...misuse, ...faults])
