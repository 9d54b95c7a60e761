import { describe } from 'vitest'
import { testKit } from './support/kit.js'

describe('with handles in two processes', () => {
  testKit(undefined, subject => {
    /** How many handles a namespace has: every second one is in the other process. */
    const handles = new Map<string, number>()
    const open = (prefix: string) => {
      const number = (handles.get(prefix) ?? 0) + 1
      handles.set(prefix, number)
      return number % 2 === 1 ? subject.open(prefix) : subject.openElsewhere(prefix)
    }
    return { ...subject, open }
  })
})
