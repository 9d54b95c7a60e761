// A process that makes random calls until it is told to stop, or killed: see crew.ts.
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import { Caller, type ClosableAdapter } from './caller.js'
import type { Assignment, WorkerOrder, WorkerReport } from './orders.js'
import { plantBug } from './plants.js'
import { randomFrom } from './random.js'
import { StallMeter } from './stall-meter.js'
import { verify } from './verify.js'
import { nextStep, scaled } from './work.js'

/** Calls that nobody awaits, at most. */
const MOST_IN_FLIGHT = 300

const [moduleUrl = ''] = process.argv.slice(2)
const backend: { open(config: unknown): ClosableAdapter } = await import(moduleUrl)

let stopping = false
let reopening = false

const report = (message: WorkerReport): void => void process.send?.(message)

function callerOf({ name, log, base, config, plant }: Assignment): Caller {
  const open = () => {
    const adapter = backend.open(config)
    return plant === undefined ? adapter : plantBug(plant, adapter)
  }
  return new Caller(name, log, BigInt(base), open)
}

async function work(assignment: Assignment): Promise<void> {
  stopping = false
  const meter = new StallMeter()
  const caller = callerOf(assignment)
  const random = randomFrom(assignment.seed)
  while (!stopping) {
    const { works, awaited, abort, rest: quiet } = nextStep(random)
    const made = works.map((each, at) =>
      caller.make(scaled(each, assignment.scale), at === abort?.at ? abort.when : undefined),
    )
    if (reopening) {
      reopening = false
      await caller.reopen()
      report({ is: 'reopened' })
    }
    if (awaited) await Promise.all(made)
    else if (caller.inFlight > MOST_IN_FLIGHT) await caller.settle()
    if (quiet === 0) await turn()
    else if (quiet !== undefined) await pause(quiet)
  }
  await caller.close()
  report({ is: 'finished', stall: meter.stop() })
}

/** Does nothing but to see how often it gets its turn. */
async function rest(): Promise<void> {
  stopping = false
  const meter = new StallMeter()
  while (!stopping) await pause(10)
  report({ is: 'finished', stall: meter.stop() })
}

async function look(assignment: Assignment): Promise<void> {
  const caller = callerOf(assignment)
  await verify(caller, randomFrom(assignment.seed))
  await caller.close()
  report({ is: 'finished' })
}

function obey(order: WorkerOrder): Promise<void> | undefined {
  if (order.do === 'stop') stopping = true
  else if (order.do === 'reopen') reopening = true
  else if (order.do === 'rest') return rest()
  else return order.do === 'work' ? work(order) : look(order)
  return undefined
}

process.on('message', (order: WorkerOrder) => {
  obey(order)?.catch(error => {
    console.error(error)
    process.exit(1)
  })
})
process.on('disconnect', () => process.exit())
report({ is: 'ready' })
