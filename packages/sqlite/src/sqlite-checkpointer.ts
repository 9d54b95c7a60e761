import { Worker } from 'node:worker_threads'

/** The log is moved into the file once it holds this many more pages (of 4 KiB) than the file. */
export const CHECKPOINT_PAGES = 1_000

/** Writers wait once the log has this many pages, until it begins anew: 32 MiB. */
const TOO_LONG = 8_000

/**
 * The log's file is cut off once it is larger than this, in bytes: after a long reader or huge
 * values. Not smaller, and never by a writer: it can take a second, as the file system first writes
 * what it is about to cut off (700 ms for 16 MiB on ext4, measured).
 */
export const TOO_LARGE = 2 * TOO_LONG * 4_096

/**
 * How long the log's last part waits for writers and readers to let it through, in ms. Longer than
 * any call of ours holds a lock; other writers wait as long.
 */
const PATIENCE = 100

/** The file that a path named when it was opened. */
export interface OpenFile {
  readonly path: string
  readonly identity: string
}

/** Those of this process, by what they are for. */
const threads = new Map<string, CheckpointThread>()

/**
 * Moves the log of one file into it, in a thread of its own with its own connection. On the thread
 * that writes it would stop the event loop for 30 ms at a time, and take half of the time of all
 * sets (measured): it waits for the disk.
 *
 * The thread is started when there is something to do, serves all adapters of the file in this
 * process, and never holds the process.
 */
export class Checkpointer {
  readonly #file: OpenFile
  readonly #onFailure: () => void
  #thread: CheckpointThread | undefined
  #hasFailed = false

  /** @param onFailure is called once no thread can do it. */
  constructor(file: OpenFile, onFailure: () => void) {
    this.#file = file
    this.#onFailure = () => {
      this.#hasFailed = true
      this.#thread = undefined
      onFailure()
    }
  }

  /** Whether one is under way. */
  get isBusy(): boolean {
    return this.#thread?.isBusy ?? false
  }

  start(): void {
    if (this.#hasFailed) return
    try {
      this.#thread ??= this.#join()
      this.#thread.start()
    } catch {
      // Node refuses threads where it runs with permissions.
      this.#onFailure()
    }
  }

  #join(): CheckpointThread {
    const name = `${this.#file.identity} ${this.#file.path}`
    const thread = threads.get(name) ?? new CheckpointThread(name, this.#file)
    thread.users.add(this.#onFailure)
    return thread
  }

  /** The last to leave a thread waits until it has done what is left to do. */
  async close(): Promise<void> {
    const thread = this.#thread
    this.#thread = undefined
    thread?.users.delete(this.#onFailure)
    if (thread?.users.size === 0) await thread.end()
  }
}

class CheckpointThread {
  /** Who is told that it failed. */
  readonly users = new Set<() => void>()
  readonly #name: string
  readonly #worker: Worker
  readonly #ended: Promise<unknown>
  #isBusy = false

  constructor(name: string, file: OpenFile) {
    this.#name = name
    this.#worker = new Worker(new URL('./sqlite-checkpoint-thread.mjs', import.meta.url), {
      workerData: { ...file, tooLong: TOO_LONG, tooLarge: TOO_LARGE, patience: PATIENCE },
      // What the application has its own threads load, by arguments or NODE_OPTIONS, could hold it.
      execArgv: [],
      env: {},
    })
    this.#worker.on('message', () => (this.#isBusy = false))
    this.#ended = new Promise(resolve => this.#worker.once('exit', resolve))
    this.#worker.once('error', () => {
      this.#forget()
      for (const onFailure of this.users) onFailure()
    })
    // Last, as a listener of messages would hold the process again.
    this.#worker.unref()
    threads.set(name, this)
  }

  get isBusy(): boolean {
    return this.#isBusy
  }

  start(): void {
    if (this.#isBusy) return
    this.#isBusy = true
    this.#worker.postMessage('checkpoint')
  }

  async end(): Promise<void> {
    this.#forget()
    this.#worker.ref()
    this.#worker.postMessage('close')
    await this.#ended
  }

  #forget(): void {
    if (threads.get(this.#name) === this) threads.delete(this.#name)
  }
}
