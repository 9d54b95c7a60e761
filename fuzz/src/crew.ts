import { join } from 'node:path'
import { clockFrom } from './clock.js'
import type { Finding, Incident } from './history.js'
import type { Assignment } from './orders.js'
import { derivedSeed } from './random.js'
import type { Stall } from './stall-meter.js'
import { WorkerProcess } from './worker-process.js'

/** How long a worker may take to start, in ms: on a machine that has much else to do, long. */
const START = 100_000

/** How long one that was told to stop may take, in ms: longer than any call. */
const STOP = 40_000

/** What the workers of one round have in common. */
export interface Task {
  readonly round: number
  readonly seed: number
  /** Where logs go. */
  readonly folder: string
  readonly config: unknown
  readonly scale?: number | undefined
  readonly plant?: string | undefined
}

/** Processes that wait to take a killed one's place. */
const SPARES = 2

interface Member {
  process: WorkerProcess
  name: string
  /** Counts the processes that stood at this place in the round. */
  incarnation: number
}

/** The workers: a process at each place, replaced when it is killed. */
export class Crew {
  readonly #module: string
  readonly #niceness: number
  readonly #members: Member[] = []
  readonly #spares: Promise<WorkerProcess>[] = []
  /** All that were started and may be alive. */
  readonly #processes = new Set<WorkerProcess>()
  readonly #base = process.hrtime.bigint()
  readonly now = clockFrom(this.#base)
  #task: Task | undefined
  /** By names of processes. ns. */
  readonly gone = new Map<string, number>()
  readonly incidents: Incident[] = []
  readonly findings: Finding[] = []
  /** Of each worker that finished. */
  readonly stalls: Stall[] = []

  private constructor(moduleUrl: string, niceness: number) {
    this.#module = moduleUrl
    this.#niceness = niceness
  }

  /**
   * @param niceness of the workers: those that are being started, and who breaks things, go first.
   */
  static async start(moduleUrl: string, size: number, niceness = 5): Promise<Crew> {
    const crew = new Crew(moduleUrl, niceness)
    try {
      const started = Array.from({ length: size }, () => crew.#newProcess())
      for (const process of await Promise.all(started))
        crew.#members.push({ process, name: '', incarnation: 0 })
    } catch (error) {
      await crew.end()
      throw error
    }
    while (crew.#spares.length < SPARES) crew.#startSpare()
    return crew
  }

  get size(): number {
    return this.#members.length
  }

  /** Has all of them begin at once. */
  begin(task: Task, what: 'work' | 'rest' = 'work'): void {
    this.#task = task
    this.gone.clear()
    this.incidents.length = 0
    this.findings.length = 0
    this.stalls.length = 0
    for (const [at, member] of this.#members.entries()) {
      member.incarnation = 0
      this.#assign(at, what)
    }
  }

  /** Kills one in the middle of whatever it does, and puts another in its place. */
  async kill(at: number): Promise<void> {
    const member = this.#members[at] as Member
    this.#noteCrash(member)
    await this.#bury(member)
    await this.#replace(at)
  }

  /** Stops one for a while: to the others it seems to hang, with whatever it holds. */
  async pause(at: number, ms: number): Promise<void> {
    const { process, name } = this.#members[at] as Member
    const begin = this.now()
    process.signal('SIGSTOP')
    await new Promise(resolve => setTimeout(resolve, ms))
    process.signal('SIGCONT')
    this.incidents.push({ name: 'pause', begin, end: this.now(), process: name })
  }

  /** Has one close its adapter, with calls in flight, and open another. */
  async reopen(at: number): Promise<void> {
    const { process } = this.#members[at] as Member
    const reopened = process.report('reopened', STOP)
    process.order({ do: 'reopen' })
    await reopened
  }

  /** Has all of them finish. Who doesn't is killed, and its calls tell. */
  async stop(): Promise<void> {
    await Promise.all(this.#members.map(member => this.#finish(member, true)))
  }

  /**
   * Has one look whether what is left can be read and removed as it should be.
   *
   * @param config instead of that of the task.
   */
  async verify(config?: unknown): Promise<void> {
    const member = this.#members[0] as Member
    member.incarnation++
    if (config !== undefined) this.#task = { ...(this.#task as Task), config }
    this.#assign(0, 'verify')
    await this.#finish(member, false)
  }

  async end(): Promise<void> {
    await Promise.all([...this.#processes].map(process => process.kill()))
  }

  #assign(at: number, what: 'work' | 'rest' | 'verify'): void {
    const member = this.#members[at] as Member
    const { round, seed, folder, config, scale = 1, plant } = this.#task as Task
    member.name = `${round}.${at}.${member.incarnation}`
    const { name } = member
    const assignment: Assignment = {
      name,
      log: join(folder, `${name}.log`),
      seed: derivedSeed(seed, round, at, member.incarnation),
      base: String(this.#base),
      config,
      scale,
      ...(plant === undefined ? {} : { plant }),
    }
    member.process.order({ do: what, ...assignment })
  }

  async #finish(member: Member, tell: boolean): Promise<void> {
    const finishing = member.process.report('finished', STOP)
    if (tell) member.process.order({ do: 'stop' })
    const finished = await finishing
    if (finished !== undefined) {
      if (finished.stall !== undefined) this.stalls.push(finished.stall)
      return
    }
    this.#noteCrash(member)
    await this.#bury(member)
    member.process = await this.#spare()
  }

  async #replace(at: number): Promise<void> {
    const member = this.#members[at] as Member
    member.process = await this.#spare()
    member.incarnation++
    this.#assign(at, 'work')
  }

  #startSpare(): void {
    const spare = this.#newProcess()
    // Told when it is needed.
    spare.catch(() => {})
    this.#spares.push(spare)
  }

  #spare(): Promise<WorkerProcess> {
    this.#startSpare()
    return this.#spares.shift() as Promise<WorkerProcess>
  }

  async #newProcess(): Promise<WorkerProcess> {
    const process = new WorkerProcess(this.#module)
    this.#processes.add(process)
    if ((await process.report('ready', START)) !== undefined) {
      process.yieldTo(this.#niceness)
      return process
    }
    await process.kill()
    throw new Error(`a worker did not start:\n${process.complaints}`)
  }

  async #bury({ process, name }: Member): Promise<void> {
    await process.kill()
    this.gone.set(name, this.now())
    this.#processes.delete(process)
  }

  #noteCrash({ process, name }: Member): void {
    if (process.hasEnded) this.#crash({ name }, process.complaints || 'it ended by itself')
  }

  #crash({ name }: { readonly name: string }, message: string): void {
    this.findings.push({
      rule: 'crash',
      message: `worker ${name} broke down: ${message}`,
      calls: [],
    })
  }
}
