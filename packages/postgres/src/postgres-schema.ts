import { L2Error } from '@l2/core'
import { checkMigrate, type Layout, resolveLayout } from './postgres-checks.js'
import { OWN, type PostgresClient } from './postgres-client.js'
import type { PostgresConnection } from './postgres-connection.js'
import type { LayoutOptions } from './postgres-options.js'
import { HOUSEKEEPING } from './postgres-sql.js'

/** What the tables are like. Stored in them: another version of this package may need another. */
const VERSION = 1

/** What Postgres says where a table or a schema is missing. */
const MISSING = ['42P01', '3F000']

/** What {@link migrationSql} takes: as for the adapter. */
export type MigrationOptions = Pick<LayoutOptions, 'schema' | 'tablePrefix' | 'logged'>

/**
 * The SQL by which `migrate: 'auto'` makes the tables, for those whose adapters may not: run it as the
 * role that is to own them, and grant the adapter's role `USAGE` on the schema, `SELECT` on all three
 * tables, and `INSERT`, `UPDATE`, `DELETE` on `…entries` and `…tags`. May be run again.
 *
 * @throws TypeError, RangeError where an option is not what it should be.
 */
export function migrationSql(options: MigrationOptions = {}): string {
  const layout = resolveLayout(options)
  return ['BEGIN', ...creation(layout, true), 'COMMIT', ''].join(';\n')
}

function creation({ schema, entries, tags, layout, expiryIndex, logged }: Layout, all: boolean) {
  const table = `CREATE ${logged ? '' : 'UNLOGGED '}TABLE IF NOT EXISTS`
  // Rows are short-lived: what they leave is to be used again before the table grows by it.
  const vacuum = (what: string): string =>
    `${what}autovacuum_vacuum_scale_factor = 0.02, ${what}autovacuum_vacuum_insert_scale_factor = 0.1`
  return [
    // One after the other: CREATE … IF NOT EXISTS fails where two do it at once.
    `SELECT pg_advisory_xact_lock(${HOUSEKEEPING}, 0)`,
    // Has this session hear what others have made meanwhile: a schema that it has looked for in vain
    // it would believe to be missing still.
    'SELECT FROM pg_catalog.pg_namespace LIMIT 0',
    ...(all ? [`CREATE SCHEMA IF NOT EXISTS ${schema}`] : []),
    `${table} ${entries} (
  h bytea PRIMARY KEY,
  k bytea NOT NULL,
  v bytea NOT NULL,
  exp timestamptz NOT NULL,
  ver int8 NOT NULL,
  tags bytea NOT NULL
) WITH (${vacuum('')}, autovacuum_analyze_scale_factor = 0.02, ${vacuum('toast.')})`,
    // Applications compress by themselves, if at all.
    `ALTER TABLE ${entries} ALTER v SET STORAGE EXTERNAL`,
    `CREATE INDEX IF NOT EXISTS ${expiryIndex} ON ${entries} (exp) WHERE exp < 'infinity'`,
    `${table} ${tags} (
  tag bytea,
  h bytea,
  ver int8,
  PRIMARY KEY (tag, h, ver)
) WITH (${vacuum('')}, autovacuum_analyze_scale_factor = 0.02)`,
    `CREATE TABLE IF NOT EXISTS ${layout} (version int4 PRIMARY KEY)`,
    `INSERT INTO ${layout} (version) SELECT ${VERSION} WHERE NOT EXISTS (SELECT FROM ${layout})`,
  ]
}

/** The tables of one adapter: looked at, and made, before they are first used. */
export class PostgresSchema {
  readonly #client: PostgresClient
  readonly #layout: Layout
  readonly #migrate: 'auto' | 'check' | 'off'
  #attempt: Promise<void> | undefined
  isReady = false

  constructor(client: PostgresClient, layout: Layout, migrate: unknown) {
    this.#client = client
    this.#layout = layout
    this.#migrate = checkMigrate(migrate)
    this.forget()
  }

  /** Resolves when the tables can be used. One attempt at a time; where it fails, the next call tries again. */
  ready(): Promise<void> {
    this.#attempt ??= this.#client
      .use(OWN, ({ connection }) => this.#prepare(connection))
      .then(() => {
        this.isReady = true
      })
      .finally(() => {
        this.#attempt = undefined
      })
    return this.#attempt
  }

  /** Has the next call look, and make what is missing. */
  forget(): void {
    this.isReady = this.#migrate === 'off'
  }

  async #prepare(connection: PostgresConnection): Promise<void> {
    if (await this.#look(connection)) return
    if (this.#migrate !== 'auto') throw missing(this.#layout)
    const { schema, entries, tags } = this.#layout
    const [[exists, isTorn] = []] = await connection.query(
      {
        text: `SELECT to_regnamespace($1) IS NOT NULL,
  to_regclass($2) IS NOT NULL AND to_regclass($3) IS NULL`,
      },
      [schema, entries, tags],
    )
    // What is in it could not be found by its tags any more.
    if (isTorn === 't') throw mismatch(`${tags} is missing: drop ${entries} too.`)
    // To make a schema that is there needs a right that it does not take to use it.
    await connection.run(creation(this.#layout, exists !== 't').join(';\n'))
    if (!(await this.#look(connection))) throw missing(this.#layout)
  }

  /** @returns whether the tables are there. */
  async #look(connection: PostgresConnection): Promise<boolean> {
    const { layout, entries, tags, logged } = this.#layout
    try {
      const [[version, persistence, tagTable] = []] = await connection.query(
        {
          text: `SELECT (SELECT max(version) FROM ${layout}),
  (SELECT relpersistence FROM pg_class WHERE oid = to_regclass($1)::oid), to_regclass($2)`,
        },
        [entries, tags],
      )
      if (version !== String(VERSION))
        throw mismatch(`${layout} says ${version}, and this version knows ${VERSION}.`)
      if ((persistence ?? null) === null || (tagTable ?? null) === null) return false
      if (logged && persistence !== 'p')
        throw mismatch(
          `${entries} is UNLOGGED, and \`logged\` is true: ALTER TABLE … SET LOGGED, for it and for ` +
            `${this.#layout.tags}.`,
        )
      return true
    } catch (error) {
      if (MISSING.includes(String((error as { code?: unknown }).code))) return false
      throw error
    }
  }
}

const missing = ({ entries, tags, layout }: Layout): L2Error =>
  mismatch(`Of ${entries}, ${tags} and ${layout} not all are there.`)

const mismatch = (what: string): L2Error =>
  new L2Error(
    'L2_SCHEMA_MISMATCH',
    `${what} Use one version of @l2/postgres in all processes, give this one another \`tablePrefix\`, ` +
      'or make the tables: by `migrate: "auto"`, or by what `migrationSql()` gives.',
  )
