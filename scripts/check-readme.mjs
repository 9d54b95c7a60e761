// @ts-check
// Compiles every TypeScript example of the READMEs and runs it, so that what they show is true.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { prepare } from './prepare.mjs'
import { typescriptFences } from './readme/fences.mjs'
import { root } from './root.mjs'
import { run } from './run.mjs'
import { startServices } from './services/start-services.mjs'

await prepare(['--filter=./packages/*'])

const work = join(root, 'node_modules/.cache/l2-readme')
rmSync(work, { recursive: true, force: true })
const folders = readdirSync(join(root, 'packages')).map(each => `packages/${each}`)
linkPackages()
const scratch = mkdtempSync(join(tmpdir(), 'l2-readme-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))

const services = await startServices(line => console.log(`services: ${line}`))
try {
  const examples = readmes().flatMap(extract)
  if (!examples.some(({ readme, runs }) => readme === 'README.md' && runs)) {
    throw new Error('README.md has no example that runs')
  }
  compile(examples.map(({ name }) => `${name}.mts`))
  const [REDIS_URL, POSTGRES_URL] = ['L2_REDIS_URL', 'L2_POSTGRES_URL'].map(
    name => services.env[name] ?? process.env[name],
  )
  const env = {
    ...process.env,
    ...(REDIS_URL && { REDIS_URL }),
    ...(POSTGRES_URL && { POSTGRES_URL }),
  }
  for (const { name, place, runs } of examples) {
    const start = performance.now()
    const file = join(work, `${name}.mjs`)
    if (runs) run(process.execPath, [file], { cwd: scratch, env, timeout: 60_000 })
    const did = runs ? `ran in ${Math.round(performance.now() - start)} ms` : 'compiled'
    console.log(`${place}: ${did}`)
  }
} catch (error) {
  console.error(`check:readme: ${/** @type {Error} */ (error).message}`)
  process.exitCode = 1
} finally {
  await services.stop()
}

/** Lets the examples import every package; what else they name, the root's node_modules has. */
function linkPackages() {
  for (const each of folders) {
    const { name } = JSON.parse(readFileSync(join(root, each, 'package.json'), 'utf8'))
    const link = join(work, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, each), link, 'junction')
  }
}

function readmes() {
  return ['.', ...folders, 'packages/core/src/conformance']
    .map(folder => join(folder, 'README.md'))
    .filter(path => existsSync(join(root, path)))
}

function extract(/** @type {string} */ readme) {
  return typescriptFences(readFileSync(join(root, readme), 'utf8')).map(({ line, runs, code }) => {
    const name = `${readme.replaceAll('/', '-')}-line-${line}`
    // As far down as in the README, so that an error's line number is the README's.
    writeFileSync(join(work, `${name}.mts`), `${'\n'.repeat(line)}${code}\nexport {}\n`)
    return { readme, name, place: `${readme}:${line}`, runs }
  })
}

function compile(/** @type {string[]} */ files) {
  const config = {
    extends: join(root, 'tsconfig.base.json'),
    compilerOptions: {
      composite: false,
      declaration: false,
      // An example may name what it doesn't go on to use.
      noUnusedLocals: false,
      noUnusedParameters: false,
      rootDir: '.',
      outDir: '.',
    },
    files,
    exclude: [],
  }
  writeFileSync(join(work, 'tsconfig.json'), JSON.stringify(config))
  const tsc = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')))
  run(process.execPath, [tsc, '-p', work], { cwd: work })
}
