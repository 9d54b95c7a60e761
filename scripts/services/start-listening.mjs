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
    const failure = await answers(server, () => ask(port))
    if (failure === undefined) return port
    const log = server.logTail()
    // Someone else may have got the port in between.
    if (/in use/i.test(log) && attempt < 3) continue
    throw new Error(`${failure}:\n${log}`)
  }
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
