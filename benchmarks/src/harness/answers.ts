export function mustHit(value: unknown): void {
  if (value === undefined || value === null) throw new Error('a get of a stored key missed')
}

export function mustMiss(value: unknown): void {
  if (value !== undefined && value !== null) throw new Error('a get of an absent key hit')
}

/** The factory of a call that is to find an entry. */
export function mustNotMake(): never {
  throw new Error('a factory was run for a key that is stored')
}
