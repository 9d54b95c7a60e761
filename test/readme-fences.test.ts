import { expect, test } from 'vitest'
import { typescriptFences } from '../scripts/readme/fences.mjs'

const tick = '```'

test('finds the TypeScript fences, where they are and whether they run', () => {
  const markdown = [
    '# Title',
    `${tick}ts`,
    'run()',
    '',
    'again()',
    tick,
    `${tick}sh`,
    `${tick}ts`,
    tick,
    `${tick}ts no-run`,
    'serve()',
    tick,
  ]
  expect(typescriptFences(markdown.join('\n'))).toEqual([
    { line: 2, runs: true, code: 'run()\n\nagain()' },
    { line: 10, runs: false, code: 'serve()' },
  ])
})

test.each([
  ['an unknown mark', `${tick}ts norun\n${tick}`],
  ['a fence that is never closed', `${tick}ts\nrun()`],
])('refuses %s', (_, markdown) => {
  expect(() => typescriptFences(markdown)).toThrow('line 1')
})
