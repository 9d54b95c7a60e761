// @ts-check
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { conformance } from '@l2/core/conformance'
import { RemoteMemory } from './remote-memory.mjs'

/** @typedef {import('@l2/core/conformance').Subject} Subject */

const program = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url))

/** A host process, and what it can be told. */
class Host {
  /** @type {Map<number, (result: any) => void>} */
  #waiting = new Map()
  #lastId = 0
  #process

  constructor(
    /** @type {import('node:child_process').ChildProcess} */ process,
    /** @type {number} */ port,
  ) {
    this.#process = process
    this.port = port
    process.on('message', (/** @type {any} */ { id, result }) => {
      this.#waiting.get(id)?.(result)
      this.#waiting.delete(id)
    })
  }

  /** @param {number} [upstream] the port of the host that it works over */
  static async start(upstream) {
    const args = upstream === undefined ? [] : [`${upstream}`]
    const child = fork(program('host.mjs'), args, { execArgv: [] })
    const [{ port }] = await once(child, 'message')
    return new Host(child, port)
  }

  /** @returns {Promise<any>} */
  tell(/** @type {string} */ action, /** @type {unknown[]} */ ...args) {
    const id = ++this.#lastId
    this.#process.send({ id, action, args })
    return new Promise(resolve => this.#waiting.set(id, resolve))
  }

  stop() {
    this.#process.kill('SIGKILL')
  }
}

/**
 * MemoryAdapter with every hook. The memory of one process can't be cut off and has no other
 * clients, so it sits in a host process here, and handles reach it by a socket.
 *
 * @param {number} timeout of the adapters, ms
 * @returns {Promise<{ subject: Subject, stop(): void }>}
 */
async function memorySubject(timeout) {
  const host = await Host.start()
  const elsewhere = await Host.start(host.port)
  const opening = (/** @type {number} */ port) => (/** @type {string} */ prefix) =>
    new RemoteMemory(port, { prefix, timeout, sweepInterval: 0 })
  const open = opening(host.port)
  /** @type {Subject} */
  const subject = {
    open,
    timeout,
    openUnprefixed: () => open(''),
    openElsewhere: opening(elsewhere.port),
    residue: namespace => host.tell('residue', namespace),
    sweep: async namespace => {
      const adapter = open(namespace)
      await adapter.sweep()
      await adapter.close()
    },
    cut: namespace => host.tell('break', namespace, 'cut'),
    stall: namespace => host.tell('break', namespace, 'stall'),
    restore: namespace => host.tell('restore', namespace),
    crash: async (namespace, key) => {
      const before = await host.tell('connections')
      const args = JSON.stringify([host.port, namespace, key])
      const writer = fork(program('writer.mjs'), [args], { execArgv: [] })
      await once(writer, 'message')
      await pause(Math.random() * 10)
      writer.kill('SIGKILL')
      await once(writer, 'exit')
      // Until the host has read all that was sent.
      while ((await host.tell('connections')) > before) await pause(1)
    },
  }
  const stop = () => {
    elsewhere.stop()
    host.stop()
  }
  return { subject, stop }
}

const isFault = (/** @type {string} */ group) => group === 'cut' || group === 'stall'

/** All cases of the kit over MemoryAdapter, with short deadlines where a backend is to hang. */
export async function kitCases() {
  const [calm, broken] = await Promise.all([memorySubject(5_000), memorySubject(500)])
  const cases = [
    ...conformance(calm.subject).filter(({ group }) => !isFault(group)),
    ...conformance(broken.subject).filter(({ group }) => isFault(group)),
  ]
  const stop = () => {
    calm.stop()
    broken.stop()
  }
  return { cases, stop }
}
