import { rmSync } from 'node:fs'
import { check } from './check.js'
import type { Crew } from './crew.js'
import type { Finding, Rule } from './history.js'
import { readHistory } from './read-history.js'
import type { Stage, Subject } from './subject.js'

/** Findings of one rule that are kept; the rest is counted. */
const KEPT = 5

/** What every run has to have seen, or it shows nothing. */
const ESSENTIAL = ['get', 'set', 'delete', 'deleteByTag', 'clear', 'ping', 'hit', 'no hit']

/** What has been seen so far. */
export class Tally {
  readonly calls = new Map<string, number>()
  readonly faults = new Map<string, number>()
  readonly findings: Finding[] = []
  readonly found = new Map<Rule, number>()
  total = 0
  /** The folder of the first round with findings. */
  logs: string | undefined

  note(finding: Finding): void {
    const count = (this.found.get(finding.rule) ?? 0) + 1
    this.found.set(finding.rule, count)
    if (count <= KEPT) this.findings.push(finding)
  }

  /** Has the crew look at what it left, once it has stopped, and looks into the storage. */
  async look(crew: Crew, stage: Stage): Promise<void> {
    const found = (rule: Rule, message: string) => this.note({ rule, message, calls: [] })
    for (const message of await stage.inspect()) found('storage', message)
    await crew.verify(stage.calm)
    for (const message of await stage.inspect()) found('storage', message)
    const residue = await stage.residue()
    if (residue !== 0) found('residue', `${residue} pieces of bookkeeping are left of no entry`)
  }

  /** Reads and judges the logs of a round, and removes them where nothing was found. */
  judge(crew: Crew, subject: Subject, folder: string): void {
    for (const finding of crew.findings) this.note(finding)
    const history = readHistory(folder, crew.gone, crew.incidents)
    for (const { work, outcome } of history.calls) {
      this.#count(work.kind)
      if (work.kind === 'get') this.#count(outcome?.is === 'whole' ? 'hit' : 'no hit')
      if (outcome === undefined || outcome.is === 'aborted') this.#count('without an answer')
    }
    this.total += history.calls.length
    for (const finding of check(history, subject))
      if (finding.rule === 'lost' && subject.mayLose) this.#count('lost')
      else this.note(finding)
    // Later rounds could fill the disk.
    if (this.found.size > 0 && this.logs === undefined) this.logs = folder
    else rmSync(folder, { recursive: true })
  }

  /** A run in which nothing happened shows nothing. */
  checkThatItMeansSomething({ mayLose = false }: Subject): void {
    for (const what of mayLose ? [...ESSENTIAL, 'lost'] : ESSENTIAL)
      if (!this.calls.has(what))
        this.note({ rule: 'vacuous', message: `not one ${what}`, calls: [] })
  }

  #count(what: string): void {
    this.calls.set(what, (this.calls.get(what) ?? 0) + 1)
  }
}
