export { faultsIn, rowsIn } from './look-inside.mjs'
