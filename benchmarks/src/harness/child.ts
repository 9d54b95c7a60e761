// The process of one subject, told over IPC what to do. Between two requests it is idle.
import { COUNT } from './keys.js'
import { type Slice, type SliceOptions, slice } from './slice.js'
import type { Place, Row } from './subject.js'
import type { Opened, Suite } from './suite.js'
import { SUITES } from './suites.js'

/** What a parent can have this process do. */
export interface Actions {
  /** Opens the subject; answers the names of the works that it can do. */
  open(suite: Suite['name'], row: Row, place: Place): Promise<string[]>
  /** Does each work once and looks at the answers. */
  verify(): Promise<void>
  slice(work: string, options: SliceOptions): Promise<Slice>
  /** One of the subject's figures that are not about the time of calls. */
  figure(name: string, place: Place): Promise<number>
}

let opened: Opened

const actions: Actions = {
  async open(suite, row, place) {
    opened = await SUITES[suite].open(await openOf(row), place, row.entries ?? COUNT)
    return Object.keys(opened.works)
  },
  verify: () => opened.verify(),
  slice(name, options) {
    const work = opened.works[name]
    if (work === undefined) throw new Error(`it can't do ${name}`)
    return slice(work, options)
  },
  async figure(name, place) {
    const figure = opened.figures[name]
    if (figure === undefined) throw new Error(`it has no ${name}`)
    return figure(place)
  },
}

async function openOf({ file, peer, open = 'open' }: Row): Promise<unknown> {
  const path = peer ? `../../peers/${file}.mjs` : `../subjects/${file}.js`
  const url = new URL(path, import.meta.url)
  const exported: Record<string, unknown> = await import(url.href)
  const make = exported[open]
  if (make === undefined) throw new Error(`${path} exports no ${open}`)
  return make
}

process.on('message', async (request: { action: keyof Actions; args: unknown[] }) => {
  const run = actions[request.action] as (...args: unknown[]) => unknown
  try {
    process.send?.({ result: await run(...request.args) })
  } catch (error) {
    process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : `${error}` })
  }
})
// Nobody is left to tell it to end.
process.once('disconnect', () => process.exit())
