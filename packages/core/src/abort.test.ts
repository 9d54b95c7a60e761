import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { onAbort } from './abort.js'

test('calls every listener once, through one listener of the signal', () => {
  const controller = new AbortController()
  const calls: number[] = []
  for (let i = 0; i < 100; i++) onAbort(controller.signal, () => calls.push(i))
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
  controller.abort()
  controller.abort()
  expect(calls).toHaveLength(100)
})

test('leaves nothing on the signal once all are off', () => {
  const { signal } = new AbortController()
  const off = [onAbort(signal, () => {}), onAbort(signal, () => {})]
  for (const one of [...off, ...off]) one()
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

test('does not call a listener that was taken off, and calls one that is put on again', () => {
  const controller = new AbortController()
  const calls: string[] = []
  onAbort(controller.signal, () => calls.push('off'))()
  onAbort(controller.signal, () => calls.push('on'))
  controller.abort()
  expect(calls).toEqual(['on'])
})
