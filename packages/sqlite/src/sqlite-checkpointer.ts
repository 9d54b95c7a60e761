import { Worker } from 'node:worker_threads'

/** The log is moved into the file once it holds this many more pages (of 4 KiB) than the file. */
export const CHECKPOINT_PAGES = 1_000

/** Writers wait once the log has this many pages: 32 MiB. */
const LOG_LIMIT = 8_000

/**
 * How long the log's last part waits for writers and readers to let it through, in ms. Longer than
 * any call of ours holds a lock; other writers wait as long.
 */
const PATIENCE = 100

/**
 * Moves the log of one file into it, in a thread of its own with its own connection. On the thread
 * that writes it would stop the event loop for 30 ms at a time, and take half of the time of all
 * sets (measured): it waits for the disk.
 *
 * The thread is started when there is something to do, and never holds the process.
 */
export class Checkpointer {
  readonly #path: string
  readonly #identity: string
  readonly #onFailure: () => void
  #thread: Worker | undefined
  #isBusy = false

  /**
   * @param identity of the file that `path` named when it was opened.
   * @param onFailure is called once no thread can do it.
   */
  constructor(path: string, identity: string, onFailure: () => void) {
    this.#path = path
    this.#identity = identity
    this.#onFailure = onFailure
  }

  /** Whether one is under way. */
  get isBusy(): boolean {
    return this.#isBusy
  }

  start(): void {
    this.#isBusy = true
    this.#thread ??= this.#open()
    this.#thread.postMessage('checkpoint')
  }

  /** Does what is left to do, then ends the thread. */
  async close(): Promise<void> {
    const thread = this.#thread
    if (thread === undefined) return
    thread.removeAllListeners('error')
    const ended = new Promise(resolve => thread.once('exit', resolve).once('error', resolve))
    thread.ref()
    thread.postMessage('close')
    await ended
  }

  #open(): Worker {
    const thread = new Worker(new URL('./sqlite-checkpoint-thread.mjs', import.meta.url), {
      workerData: {
        path: this.#path,
        identity: this.#identity,
        limit: LOG_LIMIT,
        patience: PATIENCE,
      },
      // What the application's own threads load is not for this one.
      execArgv: [],
    })
    thread.on('message', () => (this.#isBusy = false))
    // It stays busy for ever: nobody asks it again.
    thread.once('error', () => {
      this.#thread = undefined
      this.#onFailure()
    })
    // Last, as a listener of messages would hold the process again.
    thread.unref()
    return thread
  }
}
