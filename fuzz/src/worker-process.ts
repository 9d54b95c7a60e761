import { type ChildProcess, fork } from 'node:child_process'
import { getPriority, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { WorkerOrder, WorkerReport } from './orders.js'

const PROGRAM = fileURLToPath(new URL('worker.js', import.meta.url))

/** How much of what a worker wrote to stderr is kept, in characters. */
const KEPT = 4_000

/** That a process can have (setpriority(2)). */
const LOWEST_PRIORITY = 19

type ReportOf<K extends WorkerReport['is']> = Extract<WorkerReport, { is: K }>

/** A forked worker, as its parent sees it. */
export class WorkerProcess {
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  readonly #listeners = new Set<(report: WorkerReport) => void>()
  #stderr = ''
  hasEnded = false

  constructor(moduleUrl: string) {
    this.#child = fork(PROGRAM, [moduleUrl], { execArgv: [], stdio: ['ignore', 1, 'pipe', 'ipc'] })
    this.#child.stderr?.on('data', data => {
      this.#stderr = `${this.#stderr}${data}`.slice(-KEPT)
    })
    this.#child.on('message', (report: WorkerReport) => {
      for (const listener of this.#listeners) listener(report)
    })
    // A worker that is gone can't be told anything: `hasEnded` says so.
    this.#child.on('error', () => {})
    this.#ended = new Promise(resolve => {
      this.#child.once('exit', () => {
        this.hasEnded = true
        resolve()
      })
    })
  }

  /** What it wrote to stderr last. */
  get complaints(): string {
    return this.#stderr
  }

  order(order: WorkerOrder): void {
    if (!this.hasEnded) this.#child.send(order, () => {})
  }

  /** Waits for a report of a kind. `undefined`: the process has ended, or time is over. */
  async report<K extends WorkerReport['is']>(is: K, ms: number): Promise<ReportOf<K> | undefined> {
    let listener = (_: WorkerReport): void => {}
    let timer: NodeJS.Timeout | undefined
    const reported = new Promise<ReportOf<K>>(resolve => {
      listener = report => void (report.is === is && resolve(report as ReportOf<K>))
      this.#listeners.add(listener)
    })
    const late = new Promise<undefined>(resolve => (timer = setTimeout(resolve, ms, undefined)))
    try {
      return await Promise.race([reported, this.#ended.then(() => undefined), late])
    } finally {
      this.#listeners.delete(listener)
      clearTimeout(timer)
    }
  }

  /** Has others go first: the more, the higher `niceness`. */
  yieldTo(niceness: number): void {
    const { pid } = this.#child
    if (pid === undefined || this.hasEnded) return
    setPriority(pid, Math.min(getPriority() + niceness, LOWEST_PRIORITY))
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Ends it with -9, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.hasEnded) return
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}
