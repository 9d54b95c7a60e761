import { testKit } from './support/kit.js'

testKit()
