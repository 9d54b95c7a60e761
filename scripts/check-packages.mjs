// @ts-check
// Checks the packages as they would be published: what is in them, how they offer it, and that a
// clean project can use them.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkContents } from './packages/check-contents.mjs'
import { checkExports } from './packages/check-exports.mjs'
import { checkInCleanProject } from './packages/clean-project.mjs'
import { packAll } from './packages/pack.mjs'
import { prepare } from './prepare.mjs'

await prepare(['--filter=./packages/*'])
const work = mkdtempSync(join(tmpdir(), 'l2-packages-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))

const packages = packAll(work)
for (const packed of packages) {
  console.log(`\n${packed.name}: ${packed.files.length} files`)
  for (const file of packed.files) console.log(`  ${file}`)
  report([...checkContents(packed), ...(await checkExports(packed))])
}

const wanted = packages.filter(({ name }) => ['@l2/core', '@l2/sqlite'].includes(name))
console.log(`\na clean project with ${wanted.map(({ name }) => name).join(' and ')}`)
try {
  const project = join(work, 'project')
  mkdirSync(project)
  checkInCleanProject(project, wanted)
  report([])
} catch (error) {
  report([/** @type {Error} */ (error).message])
}

function report(/** @type {string[]} */ problems) {
  for (const problem of problems) console.error(`  WRONG: ${problem}`)
  if (problems.length > 0) process.exitCode = 1
  else console.log('  fine')
}
