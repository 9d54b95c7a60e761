import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = fileURLToPath(new URL('.', import.meta.url))
const packages = readdirSync(`${root}packages`).map(folder => {
  const manifest = JSON.parse(readFileSync(`${root}packages/${folder}/package.json`, 'utf8'))
  return { folder, name: manifest.name as string, exports: manifest.exports as Exports }
})

type Exports = Record<string, string | { default: string }>

/** Packages see each other's sources, not dist, so that coverage counts what tests really run. */
const alias = packages.flatMap(({ folder, name, exports }) =>
  Object.entries(exports).flatMap(([path, target]) => {
    if (typeof target === 'string') return []
    const source = target.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts')
    const find = new RegExp(`^${name}${path.slice(1)}$`)
    return [{ find, replacement: `${root}packages/${folder}/${source}` }]
  }),
)

export default defineConfig({
  resolve: { alias },
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Default: one fewer than there are cores, of which CI has two.
    maxWorkers: '100%',
    reporters: ['default', './scripts/vitest-totals.mjs'],
    projects: [
      ...packages.map(({ folder, name }) => ({
        extends: true as const,
        test: {
          name,
          root: `${root}packages/${folder}`,
          include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
        },
      })),
      {
        extends: true,
        test: { name: '@l2/fuzz', root: `${root}fuzz`, include: ['test/**/*.test.ts'] },
      },
      {
        extends: true,
        test: {
          name: '@l2/example-service',
          root: `${root}examples/service`,
          include: ['test/**/*.test.ts'],
        },
      },
      { extends: true, test: { name: 'repo', include: ['test/**/*.test.ts'] } },
    ],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      exclude: ['**/*.test.ts'],
      reporter: ['text', 'html'],
      thresholds: { statements: 90, branches: 90, functions: 90, lines: 90 },
    },
  },
})
