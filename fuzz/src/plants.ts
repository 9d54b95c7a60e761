import type { ClosableAdapter } from './caller.js'
import type { Plants } from './plant.js'
import { dataPlants } from './plants-data.js'
import { orderPlants } from './plants-order.js'

const PLANTS: Plants = { ...orderPlants, ...dataPlants }

/** The names of all bugs that can be planted. */
export const PLANT_NAMES: readonly string[] = Object.keys(PLANTS)

/** An adapter with one bug. */
export function plantBug(name: string, adapter: ClosableAdapter): ClosableAdapter {
  const Bug = PLANTS[name]
  if (Bug === undefined)
    throw new Error(`no such bug: ${name}; there are ${PLANT_NAMES.join(', ')}`)
  return new Bug(adapter)
}
