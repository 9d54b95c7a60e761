import { spawnSync } from 'node:child_process'
import { inspect } from 'node:util'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { AdapterOptions } from './adapter-options.js'
import type { Backend, Call, Slices } from './backend.js'
import { isL2Error, L2Error } from './errors.js'
import { GuardedAdapter } from './guarded-adapter.js'

const BYTES = new Uint8Array([1, 2, 3])

/** A backend of which every answer is up to the test; it answers nothing by itself. */
class ManualBackend implements Backend {
  readonly pending: { call: Call; resolve(value?: unknown): void; reject(error: unknown): void }[] =
    []
  closed = 0

  #answer<T>(call: Call): Promise<T> {
    return new Promise<unknown>((resolve, reject) =>
      this.pending.push({ call, resolve, reject }),
    ) as Promise<T>
  }
  get(_key: string, call: Call): Promise<Uint8Array | undefined> {
    return this.#answer(call)
  }
  set(
    _key: string,
    _value: Uint8Array,
    _ttl: number,
    _tags: readonly string[],
    call: Call,
  ): Promise<void> {
    return this.#answer(call)
  }
  delete(_key: string, call: Call): Promise<void> {
    return this.#answer(call)
  }
  async *deleteByTag(_tag: string, call: Call): AsyncGenerator<number> {
    for (;;) {
      const removed = await this.#answer<number>(call)
      if (removed === 0) return
      yield removed
    }
  }
  clear(call: Call): Slices {
    return this.deleteByTag('', call)
  }
  ping(call: Call): Promise<void> {
    return this.#answer(call)
  }
  close(): void {
    this.closed++
  }
}

function open(options: AdapterOptions = {}, extra: Partial<Backend> = {}) {
  const backend = Object.assign(new ManualBackend(), extra)
  const adapter = new GuardedAdapter({ sweepInterval: 0, ...options }, () => backend)
  return {
    adapter,
    backend,
    last: () => backend.pending.at(-1) as (typeof backend.pending)[number],
  }
}

const failure = (promise: Promise<unknown>): Promise<L2Error> =>
  promise.then(
    () => expect.unreachable(),
    error => error,
  )

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('the deadline', () => {
  test('rejects a call that gets no answer, and tells its backend', async () => {
    const { adapter, last } = open({ timeout: 20 })
    const abandoned = vi.fn()
    const promise = adapter.set('k', BYTES)
    last().call.onAbandon(abandoned)
    expect(last().call.abandoned).toBe(false)
    const error = await failure(promise)
    expect([error.code, error.retryable]).toEqual(['L2_TIMEOUT', true])
    expect(error.message).toContain('20 ms')
    expect(abandoned).toHaveBeenCalledTimes(1)
    expect(last().call.abandoned).toBe(true)
  })

  test('ignores an answer that comes too late', async () => {
    const { adapter, last } = open({ timeout: 10 })
    await failure(adapter.get('k'))
    last().reject(new Error('late'))
    await turn()
  })

  test('is each slice its own', async () => {
    const { adapter, last } = open({ timeout: 60 })
    const promise = adapter.deleteByTag('t')
    for (let i = 0; i < 4; i++) {
      await new Promise(resolve => setTimeout(resolve, 30))
      last().resolve(i === 3 ? 0 : 1)
      await turn()
    }
    await promise
    expect((await failure(adapter.clear())).code).toBe('L2_TIMEOUT')
  })

  test('lets in an answer that arrived while the event loop was blocked', async () => {
    const { adapter, backend } = open({ timeout: 20 })
    backend.get = () => new Promise(resolve => setTimeout(() => resolve(BYTES), 25))
    const promise = adapter.get('k')
    const end = performance.now() + 60
    while (performance.now() < end);
    expect(await promise).toEqual(BYTES)
  })

  test('of 0 is none', async () => {
    const { adapter, last } = open({ timeout: 0 })
    const promise = adapter.get('k')
    await new Promise(resolve => setTimeout(resolve, 30))
    last().resolve(BYTES)
    expect(await promise).toEqual(BYTES)
  })
})

describe('abort', () => {
  test('rejects the call at once with the reason, and no other', async () => {
    const { adapter, backend } = open()
    const controller = new AbortController()
    const mine = adapter.get('k', { signal: controller.signal })
    const other = adapter.get('k')
    controller.abort('because')
    await expect(mine).rejects.toBe('because')
    expect(backend.pending.map(({ call }) => call.abandoned)).toEqual([true, false])
    backend.pending[1]?.resolve(BYTES)
    expect(await other).toEqual(BYTES)
  })

  test('ends bulk work between slices, and its generator', async () => {
    const ended = vi.fn()
    const { adapter } = open(
      {},
      {
        *deleteByTag() {
          try {
            for (;;) yield 1
          } finally {
            ended()
          }
        },
      },
    )
    const controller = new AbortController()
    const promise = adapter.deleteByTag('t', { signal: controller.signal })
    await turn()
    controller.abort('enough')
    await expect(promise).rejects.toBe('enough')
    expect(ended).toHaveBeenCalledTimes(1)
  })
})

describe('an abandoned call', () => {
  test('is one whose signal aborted while its backend began', async () => {
    const controller = new AbortController()
    const get = () => {
      controller.abort('early')
      return new Promise<undefined>(() => {})
    }
    const { adapter } = open({}, { get })
    await expect(adapter.get('k', { signal: controller.signal })).rejects.toBe('early')
  })

  test('tells a listener that comes late', async () => {
    const { adapter, last } = open({ timeout: 10 })
    await failure(adapter.set('k', BYTES))
    const listener = vi.fn()
    last().call.onAbandon(listener)
    expect(listener).toHaveBeenCalledTimes(1)
  })

  test('is bulk work that ended between two slices', async () => {
    let seen: Call | undefined
    const { adapter } = open(
      {},
      {
        *clear(call: Call) {
          seen = call
          for (;;) yield 1
        },
      },
    )
    const controller = new AbortController()
    const promise = adapter.clear({ signal: controller.signal })
    controller.abort('between')
    await expect(promise).rejects.toBe('between')
    expect(seen?.abandoned).toBe(true)
  })

  test('cuts no connection of a slice that was answered', async () => {
    const { adapter, last } = open({ timeout: 20 })
    const promise = failure(adapter.deleteByTag('t'))
    const cut = vi.fn()
    last().call.onAbandon(cut)
    last().resolve(1)
    expect((await promise).code).toBe('L2_TIMEOUT')
    expect(cut).not.toHaveBeenCalled()
  })

  test('tells each connection of one round trip, and each once', async () => {
    const { adapter, last } = open()
    const controller = new AbortController()
    const promise = adapter.get('a', { signal: controller.signal })
    const connections = [vi.fn(() => expect.unreachable()), vi.fn(), vi.fn()]
    for (const cut of [...connections, ...connections]) last().call.onAbandon(cut)
    controller.abort('gone')
    await expect(promise).rejects.toBe('gone')
    for (const cut of connections) expect(cut).toHaveBeenCalledTimes(1)
  })

  test('fails no other of the same signal, whatever its listener throws', async () => {
    const { adapter, backend } = open()
    const controller = new AbortController()
    const { signal } = controller
    const calls = [adapter.get('a', { signal }), adapter.get('b', { signal })]
    backend.pending[0]?.call.onAbandon(() => expect.unreachable())
    controller.abort('gone')
    for (const call of calls) await expect(call).rejects.toBe('gone')
  })

  test('rejects with the reason also where its generator can not be ended', async () => {
    const { adapter } = open(
      {},
      {
        *clear() {
          try {
            for (;;) yield 1
          } finally {
            // biome-ignore lint/correctness/noUnsafeFinally: a backend's mistake is the subject
            throw new Error('finally')
          }
        },
      },
    )
    const controller = new AbortController()
    const promise = adapter.clear({ signal: controller.signal })
    controller.abort('enough')
    await expect(promise).rejects.toBe('enough')
  })
})

describe('failures of the backend', () => {
  test('are L2_UNAVAILABLE with a redacted cause', async () => {
    const { adapter, last } = open()
    const promise = adapter.get('k')
    last().reject(
      Object.assign(new Error('no route to redis://u:secret@h'), { password: 'secret' }),
    )
    const error = await failure(promise)
    expect([error.code, error.retryable]).toEqual(['L2_UNAVAILABLE', true])
    expect(error.message).toContain('get: the backend failed: no route to [redacted]')
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('secret')
  })

  test('are what the backend says they are', async () => {
    const describe = () => ({
      code: 'L2_READ_ONLY' as const,
      message: 'use the primary',
      retryable: true,
    })
    const { adapter, last } = open({}, { describe })
    const promise = adapter.delete('k')
    last().reject(new Error('READONLY'))
    const error = await failure(promise)
    expect([error.code, error.retryable, error.message]).toEqual([
      'L2_READ_ONLY',
      true,
      'delete: use the primary',
    ])
  })

  test('thrown at once reject too, and L2Errors pass as they are', async () => {
    const own = new L2Error('L2_FULL', 'full')
    const { adapter } = open(
      {},
      {
        ping: () => {
          throw own
        },
        get: () => {
          throw new Error('at once')
        },
      },
    )
    expect(await failure(adapter.ping())).toBe(own)
    expect((await failure(adapter.get('k'))).message).toContain('at once')
  })

  test('are failures whatever a driver does, and tell no secrets', async () => {
    const url = 'redis://u:secret@h'
    const thrown: unknown[] = [
      Object.assign(new Error('x'), { name: url, code: url }),
      Object.assign(new Error(`first\n    at ${url}`), {}),
      { message: Object.create(null) },
      Object.defineProperty(new Error('x'), 'message', { get: () => expect.unreachable(url) }),
      new Error('host=db password=secret'),
      new Error('cannot reach me:secret@db:5432'),
      new Error(`ERR unknown command 'AUTH', with args beginning with: 'secret'`),
      new Error('{"password":"secret"}'),
    ]
    const backends: Partial<Backend>[] = [
      ...thrown.map(error => ({ get: () => Promise.reject(error) })),
      // biome-ignore lint/suspicious/noThenProperty: a thenable that misbehaves is the subject
      { get: () => ({ then: () => expect.unreachable(url) }) as never },
      {
        get: () =>
          Object.defineProperty({}, 'then', { get: () => expect.unreachable(url) }) as never,
      },
      {
        get: () => Promise.reject(new Error('x')),
        describe: () => expect.unreachable(url),
      },
    ]
    for (const backend of backends) {
      const error = await failure(open({}, backend).adapter.get('k'))
      expect([isL2Error(error), error.code]).toEqual([true, 'L2_UNAVAILABLE'])
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('secret')
    }
  })

  test('include bytes that are none; null is a miss', async () => {
    for (const none of [null, undefined]) {
      expect(await open({}, { get: () => none as undefined }).adapter.get('k')).toBeUndefined()
    }
    for (const odd of ['text', 5, new ArrayBuffer(3), {}]) {
      const error = await failure(open({}, { get: () => odd as never }).adapter.get('k'))
      expect(error.code).toBe('L2_CORRUPT_STORE')
    }
  })

  test('in a slice end the bulk call', async () => {
    const { adapter, last } = open()
    const promise = adapter.clear()
    last().reject(new Error('gone'))
    expect((await failure(promise)).code).toBe('L2_UNAVAILABLE')
  })
})

describe('close', () => {
  test('waits for the calls in flight, then frees the backend once', async () => {
    const { adapter, backend } = open()
    const get = adapter.get('k')
    const bulk = adapter.deleteByTag('t')
    const closed = adapter.close()
    await turn()
    expect(backend.closed).toBe(0)
    backend.pending[0]?.resolve(BYTES)
    backend.pending[1]?.resolve(1)
    await turn()
    await turn()
    backend.pending[2]?.resolve(0)
    await Promise.all([get, bulk, closed, adapter.close(), adapter[Symbol.asyncDispose]()])
    expect(backend.closed).toBe(1)
    expect((await failure(adapter.sweep())).code).toBe('L2_CLOSED')
  })

  test('does not wait for an answer beyond the deadline', async () => {
    const { adapter, backend } = open({ timeout: 20 })
    const get = failure(adapter.get('k'))
    await adapter.close()
    expect((await get).code).toBe('L2_TIMEOUT')
    expect(backend.closed).toBe(1)
  })

  test('does not hang on a backend that does not close', async () => {
    const { adapter } = open({ timeout: 20 }, { close: () => new Promise(() => {}) })
    expect((await failure(adapter.close())).code).toBe('L2_TIMEOUT')
  })
})

test('arguments that have been checked reach the backend as promised', async () => {
  const set = vi.fn()
  const { adapter } = open({}, { set })
  const value = new Uint8Array([1, 2])
  await adapter.set('k', value, { ttl: 1.2, tags: ['b', 'a', 'b'] })
  const [key, bytes, ttl, tags] = set.mock.calls[0] as [string, Uint8Array, number, string[]]
  expect([key, ttl, tags]).toEqual(['k', 2, ['b', 'a']])
  expect(bytes).toEqual(value)
  expect(bytes.buffer).not.toBe(value.buffer)
})

test('bytes of get are a plain Uint8Array of the caller, whatever the backend gives', async () => {
  const inner = Buffer.from('abc')
  const { adapter } = open({}, { get: () => inner })
  const seen = await adapter.get('k')
  expect(Object.getPrototypeOf(seen)).toBe(Uint8Array.prototype)
  expect(seen?.buffer).not.toBe(inner.buffer)
})

test('bytes that a backend gives away are not copied again, unless their memory is shared', async () => {
  const give = async (bytes: Uint8Array) => {
    const { adapter } = open({}, { readsAreFresh: true, get: () => bytes })
    const seen = await adapter.get('k')
    expect(seen).toEqual(new Uint8Array(bytes))
    expect(Object.getPrototypeOf(seen)).toBe(Uint8Array.prototype)
    return seen?.buffer
  }
  const whole = Buffer.from(new Uint8Array([1, 2, 3]).buffer)
  expect(await give(whole)).toBe(whole.buffer)
  const pooled = Buffer.from('abc')
  expect(await give(pooled)).not.toBe(pooled.buffer)
  const shared = new Uint8Array(new SharedArrayBuffer(3))
  expect(await give(shared)).not.toBe(shared.buffer)
  expect(await give(new Uint8Array())).toBeDefined()
})

test('a backend without tags is never asked for them', async () => {
  const set = vi.fn()
  const deleteByTag = vi.fn()
  const { adapter } = open({}, { capabilities: { tags: false }, set, deleteByTag })
  expect(adapter.capabilities).toEqual({ tags: false })
  await adapter.set('k', BYTES, { tags: ['t'] })
  await adapter.deleteByTag('t')
  expect(set.mock.calls[0]?.[3]).toEqual([])
  expect(deleteByTag).not.toHaveBeenCalled()
  await expect(adapter.deleteByTag('\ud800')).rejects.toBeInstanceOf(TypeError)
})

test('clear is refused where the prefix is empty', async () => {
  const clear = vi.fn()
  const { adapter } = open({ prefix: '' }, { clear })
  const error = await failure(adapter.clear())
  expect([isL2Error(error), error.code]).toEqual([true, 'L2_PREFIX_REQUIRED'])
  expect(clear).not.toHaveBeenCalled()
})

test('options of the constructor are checked', () => {
  const create = (options: unknown) => () =>
    new GuardedAdapter(options as AdapterOptions, () => new ManualBackend())
  const wrongType = [{ prefix: 5 }, { prefix: '\ud800' }, { timeout: '5' }, { sweepInterval: null }]
  for (const options of [null, 5, ...wrongType])
    expect(create(options), inspect(options)).toThrow(TypeError)
  const outOfRange = [{ timeout: -1 }, { timeout: Number.NaN }, { timeout: 2 ** 31 }]
  for (const options of [...outOfRange, { sweepInterval: -1 }])
    expect(create(options), inspect(options)).toThrow(RangeError)
})

test('console.log shows the prefix and nothing that connects', async () => {
  class SecretAdapter extends GuardedAdapter {
    constructor(url: string) {
      super({ prefix: 'p:' }, () => Object.assign(new ManualBackend(), { url }))
    }
  }
  const adapter = new SecretAdapter('redis://u:secret@h')
  expect(inspect(adapter)).toBe('SecretAdapter { prefix: "p:", open }')
  expect(inspect(adapter, { showHidden: true, customInspect: false, depth: 9 })).not.toContain(
    'secret',
  )
  expect(JSON.stringify(adapter)).toBe('{}')
  await adapter.close()
  expect(inspect(adapter)).toBe('SecretAdapter { prefix: "p:", closed }')
})

describe('sweep', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  test('reports what it removed', async () => {
    const { adapter } = open({}, { sweep: () => [3, 0, 4] })
    expect(await adapter.sweep()).toEqual({ removed: 7 })
    expect(await open().adapter.sweep()).toEqual({ removed: 0 })
  })

  test('runs by itself from the first call on, again and again, until close', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let sweeps = 0
    const sweep = (): Slices => {
      sweeps++
      if (sweeps === 2) throw new Error('a failure ends nothing')
      return [1]
    }
    const { adapter } = open({ sweepInterval: 1_000 }, { sweep, ping: () => {} })
    await vi.advanceTimersByTimeAsync(5_000)
    expect(sweeps).toBe(0)
    await adapter.ping()
    for (let i = 1; i <= 4; i++) {
      await vi.advanceTimersByTimeAsync(1_300)
      for (let turns = 0; turns < 5; turns++) await turn()
      expect(sweeps).toBeGreaterThanOrEqual(i)
    }
    await adapter.close()
    const before = sweeps
    await vi.advanceTimersByTimeAsync(10_000)
    expect(sweeps).toBe(before)
  })

  test('in the background is known to be one', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const seen: boolean[] = []
    const sweep = (call: Call): Slices => {
      seen.push(call.background)
      return []
    }
    const { adapter } = open({ sweepInterval: 1_000 }, { sweep, ping: () => {} })
    await adapter.ping()
    await vi.advanceTimersByTimeAsync(1_300)
    await turn()
    await adapter.sweep()
    expect(seen).toEqual([true, false])
    await adapter.close()
  })

  test('in the background ends when the adapter is closed', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const sweep = function* (): Generator<number> {
      for (;;) yield 1
    }
    const { adapter } = open({ sweepInterval: 1_000 }, { sweep, ping: () => {} })
    await adapter.ping()
    await vi.advanceTimersByTimeAsync(1_300)
    await turn()
    await adapter.close()
  })
})

test('neither an idle adapter nor its sweep in the background holds the process', () => {
  const script = `
    import { GuardedAdapter, MemoryAdapter } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}
    const adapter = new MemoryAdapter({ sweepInterval: 60_000 })
    await adapter.set('k', new Uint8Array(1), { ttl: 1_000 })
    const endless = { *sweep() { for (;;) yield 1 }, ping() {}, close() {} }
    const sweeping = new GuardedAdapter({ sweepInterval: 1 }, () => endless)
    await sweeping.ping()
    await new Promise(resolve => setTimeout(resolve, 20))
  `
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    timeout: 10_000,
  })
  expect([child.status, child.signal, String(child.stderr)]).toEqual([0, null, ''])
})
