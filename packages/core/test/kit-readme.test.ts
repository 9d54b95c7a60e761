import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type Case, conformance, type Operation } from '../src/conformance/index.js'
import { caught } from './mutants/catch.js'
import { mutants } from './mutants/mutants.js'
import { others } from './mutants/others.js'
import { subjectOf } from './mutants/twin.js'

const README = fileURLToPath(new URL('../src/conformance/README.md', import.meta.url))
const subject = subjectOf({}, '')
const cases = [
  ...conformance(subject),
  ...conformance({ ...subject, capabilities: { tags: false } }).filter(
    ({ id }) => id === 'capabilities.no-tags',
  ),
]
const OPERATIONS = ['get', 'set', 'delete', 'deleteByTag', 'clear', 'ping', 'close'] as const

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map(row).join('\n')

function matrix(): string {
  const rules = [...new Set(cases.map(({ rule }) => rule))]
  const count = (of: readonly Case[], operation: Operation): string =>
    `${of.filter(({ operations }) => operations.includes(operation)).length || ''}`
  const rows = rules.map(rule => {
    const of = cases.filter(one => one.rule === rule)
    return [rule, ...OPERATIONS.map(operation => count(of, operation)), `${of.length}`]
  })
  const sums = OPERATIONS.map(operation => count(cases, operation))
  const MUST = cases.filter(({ level }) => level === 'MUST').length
  return `${table(['rule', ...OPERATIONS.map(one => `\`${one}\``), 'cases'], [...rows, ['all', ...sums, `${cases.length}`]])}\n\n${MUST} MUST, ${cases.length - MUST} SHOULD.`
}

function mutantTable(): string {
  const MOST = 6
  const rows = mutants.map(({ mistake, seenIn, rule, caughtBy }) => {
    const also = (caught[mistake] ?? []).filter(id => id !== caughtBy)
    const shown = also.slice(0, MOST).map(id => `\`${id}\``)
    const more = also.length > MOST ? [`and ${also.length - MOST} more`] : []
    return [mistake, seenIn ?? '', rule, [`**\`${caughtBy}\`**`, ...shown, ...more].join(', ')]
  })
  return table(['mistake', 'seen in', 'rule', 'cases that reject it'], rows)
}

const otherTable = (): string =>
  table(
    ['case', 'why it is there'],
    Object.entries(others).map(([id, why]) => [`\`${id}\``, why]),
  )

test('the tables of the README are those of the kit', async () => {
  const sections = { matrix: matrix(), mutants: mutantTable(), others: otherTable() }
  let text = readFileSync(README, 'utf8')
  for (const [name, content] of Object.entries(sections)) {
    const section = new RegExp(`(<!-- begin ${name} -->\n)[^]*?(<!-- end ${name} -->)`)
    expect(text).toMatch(section)
    text = text.replace(section, (_, begin, end) => `${begin}\n${content}\n\n${end}`)
  }
  // `vitest -u` writes it.
  await expect(text).toMatchFileSnapshot(README)
})

test('every mutant is listed with the case of its own rule that rejects it', () => {
  expect(mutants.length).toBeGreaterThanOrEqual(45)
  expect(Object.keys(caught).sort()).toEqual(mutants.map(({ mistake }) => mistake).sort())
  for (const { mistake, rule, caughtBy } of mutants) {
    expect([mistake, cases.find(({ id }) => id === caughtBy)?.rule]).toEqual([mistake, rule])
    expect([mistake, caught[mistake]]).toEqual([mistake, expect.arrayContaining([caughtBy])])
  }
})

test('every case rejects a mutant, or says why it is there', () => {
  const killing = new Set(Object.values(caught).flat())
  const idle = cases.map(({ id }) => id).filter(id => !killing.has(id))
  expect(Object.keys(others).sort()).toEqual(idle.sort())
})

test('every rule of the contract has cases', () => {
  const contract = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const rules = [...contract.matchAll(/^\| ([A-Z][a-z][\w ]+|ping) \| /gm)].map(([, rule]) => rule)
  const tested = new Set(cases.map(({ rule }) => rule))
  expect(rules.filter(rule => rule !== undefined && !tested.has(rule))).toEqual([])
  expect(rules.length).toBeGreaterThan(10)
})
