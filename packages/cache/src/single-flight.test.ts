import { describe, expect, it, vi } from 'vitest'
import { Flight } from './single-flight.js'

function flight(): {
  flight: Flight<number>
  abandon: ReturnType<typeof vi.fn>
  resolve: (value: number) => void
  reject: (error: unknown) => void
} {
  const abandon = vi.fn()
  let resolve!: (value: number) => void
  let reject!: (error: unknown) => void
  const work = new Promise<number>((yes, no) => {
    resolve = yes
    reject = no
  })
  const it = new Flight<number>({ abandoned: abandon })
  it.started(work)
  return { flight: it, abandon, resolve, reject }
}

describe('Flight', () => {
  it('gives every caller the result', async () => {
    const { flight: it, resolve } = flight()
    const all = [it.join(), it.join({ signal: new AbortController().signal })]
    resolve(7)
    expect(await Promise.all(all)).toEqual([7, 7])
  })

  it('lets one caller give up at once, with its reason, and no other', async () => {
    const { flight: it, abandon, resolve } = flight()
    const giving = new AbortController()
    const gone = it.join({ signal: giving.signal })
    const staying = it.join({ signal: new AbortController().signal })
    giving.abort('enough')
    await expect(gone).rejects.toBe('enough')
    expect([abandon.mock.calls.length, it.signal.aborted]).toEqual([0, false])
    resolve(7)
    expect(await staying).toBe(7)
  })

  it('is abandoned once, when the last caller has given up', async () => {
    const { flight: it, abandon, reject } = flight()
    const signal = it.signal
    const [a, b] = [new AbortController(), new AbortController()]
    const both = [it.join({ signal: a.signal }), it.join({ signal: b.signal })]
    a.abort('a')
    b.abort('b')
    expect((await Promise.allSettled(both)).map(x => x.status)).toEqual(['rejected', 'rejected'])
    expect(abandon).toHaveBeenCalledTimes(1)
    expect([signal.aborted, signal.reason]).toEqual([true, 'b'])
    // Nobody is left to hear it: this must not be an unhandled rejection.
    reject(new Error('late'))
    await new Promise(resolve => setImmediate(resolve))
  })

  it('has an aborted signal when first asked for it afterwards', async () => {
    const { flight: it } = flight()
    const controller = new AbortController()
    const gone = it.join({ signal: controller.signal })
    controller.abort('why')
    await expect(gone).rejects.toBe('why')
    expect([it.signal.aborted, it.signal.reason]).toEqual([true, 'why'])
  })

  it('gives up for a caller whose signal aborted while the work was being started', async () => {
    const { flight: it, abandon, reject } = flight()
    await expect(it.join({ signal: AbortSignal.abort('early') })).rejects.toBe('early')
    expect(abandon).toHaveBeenCalledTimes(1)
    // Nor is this an unhandled rejection.
    reject(new Error('late'))
    await new Promise(resolve => setImmediate(resolve))
  })

  it('leaves no listener on a signal', async () => {
    const { flight: it, resolve } = flight()
    const { signal } = new AbortController()
    const remove = vi.spyOn(signal, 'removeEventListener')
    const result = it.join({ signal })
    resolve(7)
    await result
    expect(remove).toHaveBeenCalledTimes(1)
  })
})
