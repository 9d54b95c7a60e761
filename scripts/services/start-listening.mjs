// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.mjs'

/**
 * Starts a server on a free port and waits until it answers.
 *
 * @param {(port: number) => { ended: Promise<unknown>, logTail: () => string }} start
 * @param {(port: number) => Promise<unknown>} ask rejects while the server doesn't answer
 * @returns {Promise<number>} the port
 */
export async function startListening(start, ask) {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const server = start(port)
    try {
      await answering(server, () => ask(port))
      return port
    } catch (error) {
      // Someone else may have got the port in between.
      if (!/in use/i.test(server.logTail()) || attempt === 3) throw error
    }
  }
}

/**
 * Waits until a server answers.
 *
 * @param {{ ended: Promise<unknown>, logTail: () => string }} server
 * @param {() => Promise<unknown>} ask rejects while it doesn't
 */
export async function answering(server, ask) {
  const failure = await answers(server, ask)
  if (failure !== undefined) throw new Error(`${failure}:\n${server.logTail()}`)
}

/**
 * @param {{ ended: Promise<unknown> }} server
 * @param {() => Promise<unknown>} ask
 * @returns {Promise<string | undefined>} undefined when it answers, else what happened
 */
async function answers({ ended }, ask) {
  let over = false
  ended.then(() => {
    over = true
  })
  const deadline = Date.now() + 30_000
  while (!over && Date.now() < deadline) {
    try {
      await ask()
      return undefined
    } catch {
      await sleep(50)
    }
  }
  return over ? 'it ended at once' : 'it does not answer'
}
