import type { Fault } from './subject.js'

/** The longest time for which a worker is stopped, in ms. */
const LONGEST_PAUSE = 150

/** What can happen to the workers of any backend. */
export const WORKER_FAULTS: readonly Fault[] = [
  {
    name: 'kill',
    inject: ({ crew, random }) => crew.kill(random(crew.size)),
  },
  {
    name: 'pause',
    inject: ({ crew, random }) => crew.pause(random(crew.size), 5 + random(LONGEST_PAUSE)),
  },
  {
    name: 'reopen',
    inject: ({ crew, random }) => crew.reopen(random(crew.size)),
  },
]

/** How long after the beginning of a round workers are killed, in ms: while storage is created. */
const BIRTH = 15

/** Happens once at the beginning of each round, not by chance. */
export const KILL_AT_START: Fault = {
  name: 'kill at start',
  async inject({ crew, random }) {
    const victims = [...Array(crew.size).keys()].filter(() => random(4) === 0)
    const delays = victims.map(() => random(BIRTH))
    const [first = 0] = delays
    await Promise.all(
      (victims.length === 0 ? [0] : victims).map(async (victim, at) => {
        await new Promise(resolve => setTimeout(resolve, delays[at] ?? first))
        await crew.kill(victim)
      }),
    )
  },
}
