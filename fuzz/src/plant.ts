import type { Adapter, CallOptions, SetOptions } from '@l2/core'
import type { ClosableAdapter } from './caller.js'

/** An adapter that does as another one does. Bugs are planted by what a subclass does otherwise. */
export class Plant implements Adapter {
  protected readonly real: ClosableAdapter

  constructor(real: ClosableAdapter) {
    this.real = real
  }

  get(key: string, options?: CallOptions): Promise<Uint8Array | undefined> {
    return this.real.get(key, options)
  }
  set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    return this.real.set(key, value, options)
  }
  delete(key: string, options?: CallOptions): Promise<void> {
    return this.real.delete(key, options)
  }
  deleteByTag(tag: string, options?: CallOptions): Promise<void> {
    return this.real.deleteByTag(tag, options)
  }
  clear(options?: CallOptions): Promise<void> {
    return this.real.clear(options)
  }
  ping(options?: CallOptions): Promise<void> {
    return this.real.ping(options)
  }
  close(): Promise<void> {
    return this.real.close()
  }
}

/** Adapters with a bug each, by its name. */
export type Plants = Readonly<Record<string, new (real: ClosableAdapter) => Plant>>
