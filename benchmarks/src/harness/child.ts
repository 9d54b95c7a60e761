// The process of one subject, told over IPC what to do. Between two requests it is idle.
import { bytesPerEntry } from './entry-size.js'
import { COUNT } from './keys.js'
import { type Slice, type SliceOptions, slice } from './slice.js'
import type { Open, Place, Row, Subject } from './subject.js'
import { verify } from './verify.js'
import { type WorkName, type Works, worksOf } from './works.js'

/** What a parent can have this process do. */
export interface Actions {
  /** Opens the subject; answers the names of the works that it can do. */
  open(row: Row, place: Place): Promise<WorkName[]>
  /** Does each work once and looks at the answers. */
  verify(): Promise<void>
  slice(work: WorkName, options: SliceOptions): Promise<Slice>
  /** Resident set of this process, in bytes. */
  rss(): number
  /** Bytes per entry with 3 tags (where it has tags), stored anew. */
  bytesPerEntry(row: Row, place: Place): Promise<number>
}

let subject: Subject
let works: Works

const actions: Actions = {
  async open(row, place) {
    subject = await opened(row, place)
    works = worksOf(subject, row.entries ?? COUNT)
    return Object.keys(works) as WorkName[]
  },
  verify: () => verify(subject),
  slice(name, options) {
    const work = works[name]
    if (work === undefined) throw new Error(`it can't do ${name}`)
    return slice(work, options)
  },
  rss: () => process.memoryUsage.rss(),
  async bytesPerEntry(row, place) {
    return bytesPerEntry(await opened(row, place), place, row.entries ?? COUNT)
  },
}

async function opened({ file, peer, open = 'open' }: Row, place: Place): Promise<Subject> {
  const path = peer ? `../../peers/${file}.mjs` : `../subjects/${file}.js`
  const url = new URL(path, import.meta.url)
  const exported: Record<string, Open | undefined> = await import(url.href)
  const make = exported[open]
  if (make === undefined) throw new Error(`${path} exports no ${open}`)
  return make(place)
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
