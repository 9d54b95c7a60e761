import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { Row } from './subject.js'

/** The page of one benchmark. */
export interface Page {
  /** Of the file in `results/`, and what the command line calls it. */
  readonly name: string
  readonly title: string
  /** What was measured, in a few sentences. */
  readonly intro: string
  /** Of what is measured, by package. */
  readonly versions: Record<string, string>
}

const benchmarks = new URL('../../', import.meta.url)

/** Writes the page of results: nothing in it is written by hand. */
export function writePage(
  { name, title, intro, versions }: Page,
  rows: readonly Row[],
  sections: readonly string[],
): void {
  const peers = peerVersions(rows.flatMap(({ peer = [] }) => peer))
  const all = Object.entries({
    'Node.js': process.versions.node,
    ...peers,
    // Some peers need another version of a driver: their notes say so.
    ...versions,
  })
  const notes = rows.flatMap(({ title, note }) => (note ? [`- ${title}: ${note}`] : []))
  const text = [
    `# ${title}`,
    `Written by \`pnpm bench ${name} --write\`. ../README.md says how it is measured.`,
    intro,
    `${all.map(([name, version]) => `${name} ${version}`).join(', ')}; ${availableParallelism()} cores.`,
    ...(notes.length > 0 ? [notes.join('\n')] : []),
    ...sections,
  ]
  mkdirSync(new URL('results/', benchmarks), { recursive: true })
  writeFileSync(new URL(`results/${name}.md`, benchmarks), `${text.join('\n\n')}\n`)
  console.log(`\nwrote benchmarks/results/${name}.md`)
}

/** As they are pinned. */
function peerVersions(names: readonly string[]): Record<string, string> {
  if (names.length === 0) return {}
  const manifest = readFileSync(new URL('peers/package.json', benchmarks), 'utf8')
  const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(manifest)
  return Object.fromEntries(names.map(name => [name, dependencies[name] ?? 'unknown']))
}

/** The version of a package that the benchmarks depend on. */
export function versionOf(name: string): string {
  const manifest = new URL(`node_modules/${name}/package.json`, benchmarks)
  return JSON.parse(readFileSync(manifest, 'utf8')).version
}
