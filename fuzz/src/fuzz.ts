import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { check } from './check.js'
import { Crew } from './crew.js'
import { KILL_AT_START, WORKER_FAULTS } from './faults.js'
import type { Finding, Rule } from './history.js'
import { Lane } from './lane.js'
import { derivedSeed } from './random.js'
import { readHistory } from './read-history.js'
import type { Report } from './report.js'
import type { Stage, Subject } from './subject.js'

/** What a run may be told. */
export interface FuzzOptions {
  readonly seed: number
  /** Worker processes. Default 8. */
  readonly workers?: number
  /** It goes on until it has made as many calls. Default 0. */
  readonly operations?: number
  /** It goes on for as long, in seconds. Default 0. */
  readonly seconds?: number
  /** It goes on until each fault came as often. Default 1. */
  readonly faults?: number
  /** A bug to plant (see plants.ts): the run ends with the first round that finds something. */
  readonly plant?: string
  /** ms for which workers work before all stop and what is left is looked at. Default 3 000. */
  readonly roundTime?: number
  /** Is told after each round how it goes. */
  readonly onProgress?: (line: string) => void
}

/** Findings of one rule that are kept. */
const KEPT = 5

/** A run that did not get what it wants after as many times its time, or this, has failed. s. */
const PATIENCE = 4
const LEAST_PATIENCE = 120

/** Runs workers against a backend, breaks things, and looks whether it kept its promises. */
export async function fuzz(subject: Subject, options: FuzzOptions): Promise<Report> {
  const crew = await Crew.start(subject.module, options.workers ?? 8)
  try {
    return await fuzzWith(crew, subject, options)
  } finally {
    await crew.end()
  }
}

/** {@link fuzz} with workers that have been started. */
export function fuzzWith(crew: Crew, subject: Subject, options: FuzzOptions): Promise<Report> {
  return new Run(crew, subject, options).run()
}

class Run {
  readonly #crew: Crew
  readonly #subject: Subject
  readonly #options: FuzzOptions
  readonly #folder = mkdtempSync(join(tmpdir(), 'l2-fuzz-'))
  readonly #start = performance.now()
  readonly #calls = new Map<string, number>()
  readonly #faults: Map<string, number>
  readonly #findings: Finding[] = []
  readonly #found = new Map<Rule, number>()
  /** What happens to workers and what happens to the backend, side by side. */
  readonly #lanes: readonly Lane[]
  #callsSoFar = 0
  #rounds = 0
  #stall = 0
  #logs: string | undefined

  constructor(crew: Crew, subject: Subject, options: FuzzOptions) {
    this.#crew = crew
    this.#subject = subject
    this.#options = options
    const lists = [[KILL_AT_START], WORKER_FAULTS, subject.faults]
    this.#faults = new Map(lists.flat().map(({ name }) => [name, 0]))
    this.#lanes = lists.map((faults, at) => new Lane(derivedSeed(options.seed, at), faults))
  }

  async run(): Promise<Report> {
    while (this.#goesOn()) {
      await this.#round()
      this.#options.onProgress?.(this.#progress())
    }
    if (this.#found.size === 0) this.#checkThatItMeansSomething()
    if (this.#logs === undefined) rmSync(this.#folder, { recursive: true })
    return this.#report()
  }

  #goesOn(): boolean {
    const { operations = 0, seconds = 0, plant } = this.#options
    const elapsed = (performance.now() - this.#start) / 1_000
    if (plant !== undefined && this.#found.size > 0) return false
    if (elapsed > Math.max(seconds * PATIENCE, LEAST_PATIENCE, operations / 1_000)) return false
    const satisfied = this.#callsSoFar >= operations && elapsed >= seconds
    return this.#rounds === 0 || !satisfied || this.#rareFaults().length > 0
  }

  #rareFaults(): string[] {
    const { faults = 1 } = this.#options
    return [...this.#faults].filter(([, count]) => count < faults).map(([name]) => name)
  }

  async #round(): Promise<void> {
    const { seed, plant, roundTime = 3_000 } = this.#options
    const round = this.#rounds++
    const folder = join(this.#folder, String(round))
    mkdirSync(folder)
    const stage = await this.#subject.stage()
    try {
      const { config } = stage
      const end = performance.now() + roundTime
      this.#crew.begin({ round, seed, folder, config, plant })
      const [atStart, ...meanwhile] = this.#lanes
      await this.#inject(atStart as Lane, stage)
      await Promise.all(
        meanwhile.map(async lane => {
          do await this.#inject(lane, stage)
          while (performance.now() < end)
        }),
      )
      await this.#crew.stop()
      await this.#look(stage)
    } finally {
      await stage.close()
    }
    this.#judge(folder)
  }

  async #inject(lane: Lane, { config }: Stage): Promise<void> {
    const { fault, random, quiet } = lane.next()
    await pause(quiet)
    const begin = this.#crew.now()
    await fault.inject({ config, random, crew: this.#crew })
    const { name, causes = [] } = fault
    this.#crew.incidents.push({ name: `${name}`, begin, end: this.#crew.now(), causes })
    this.#faults.set(name, (this.#faults.get(name) ?? 0) + 1)
  }

  async #look(stage: Stage): Promise<void> {
    const found = (rule: Rule, message: string) => this.#note({ rule, message, calls: [] })
    for (const message of await stage.inspect()) found('storage', message)
    await this.#crew.verify()
    for (const message of await stage.inspect()) found('storage', message)
    const residue = await stage.residue()
    if (residue !== 0) found('residue', `${residue} pieces of bookkeeping are left of no entry`)
  }

  #judge(folder: string): void {
    const { gone, incidents, findings } = this.#crew
    for (const finding of findings) this.#note(finding)
    const history = readHistory(folder, gone, incidents)
    for (const { work, outcome } of history.calls) {
      this.#count(work.kind)
      if (work.kind === 'get') this.#count(outcome?.is === 'whole' ? 'hit' : 'no hit')
      if (outcome === undefined || outcome.is === 'aborted') this.#count('without an answer')
    }
    this.#callsSoFar += history.calls.length
    for (const finding of check(history, this.#subject)) this.#note(finding)
    this.#stall = Math.max(this.#stall, this.#crew.stall)
    if (this.#found.size > 0) this.#logs ??= folder
    else rmSync(folder, { recursive: true })
  }

  /** A run in which nothing happened shows nothing. */
  #checkThatItMeansSomething(): void {
    const { faults = 1, operations = 0 } = this.#options
    const vacuous = (message: string) => this.#note({ rule: 'vacuous', message, calls: [] })
    for (const name of this.#rareFaults())
      vacuous(`fewer than ${faults} of this fault: ${name} ${this.#faults.get(name)}`)
    if (this.#callsSoFar < operations) vacuous(`only ${this.#callsSoFar} calls`)
    for (const what of ['get', 'set', 'delete', 'deleteByTag', 'clear', 'ping', 'hit', 'no hit'])
      if (!this.#calls.has(what)) vacuous(`not one ${what}`)
  }

  #count(what: string): void {
    this.#calls.set(what, (this.#calls.get(what) ?? 0) + 1)
  }

  #note(finding: Finding): void {
    const count = (this.#found.get(finding.rule) ?? 0) + 1
    this.#found.set(finding.rule, count)
    if (count <= KEPT) this.#findings.push(finding)
  }

  #progress(): string {
    const seconds = ((performance.now() - this.#start) / 1_000).toFixed(0)
    const faults = [...this.#faults.values()].reduce((sum, count) => sum + count, 0)
    const found = [...this.#found.values()].reduce((sum, count) => sum + count, 0)
    return `${seconds} s, ${this.#rounds} rounds: ${this.#callsSoFar} calls, ${faults} faults, ${found} findings`
  }

  #report(): Report {
    const { seed, plant } = this.#options
    return {
      seed,
      rounds: this.#rounds,
      calls: this.#calls,
      faults: this.#faults,
      findings: this.#findings,
      found: this.#found,
      stall: this.#stall,
      ...(this.#logs === undefined ? {} : { logs: this.#logs }),
      replay:
        `pnpm fuzz ${this.#subject.name} --seed ${seed} --workers ${this.#crew.size}` +
        (plant === undefined ? '' : ` --plant ${plant}`),
    }
  }
}
