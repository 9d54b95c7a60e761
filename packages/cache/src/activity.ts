/** Counts what is in progress. */
export class Activity {
  #running = 0
  #idle: (() => void) | undefined

  enter(): void {
    this.#running++
  }

  leave(): void {
    if (--this.#running === 0) this.#idle?.()
  }

  /** Counts `work`, whose failure is told elsewhere, until it settles. */
  async during(work: Promise<unknown>): Promise<void> {
    this.enter()
    try {
      await work
    } catch {
      // Told where it failed.
    } finally {
      this.leave()
    }
  }

  /** Resolves when nothing is in progress. To be asked once. */
  async idle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>(resolve => (this.#idle = resolve))
  }
}
