import type { LayoutOptions } from './postgres-options.js'

/** What {@link migrationSql} takes: as for the adapter. */
export type MigrationOptions = Pick<LayoutOptions, 'schema' | 'tablePrefix' | 'logged'>

/** The SQL that makes the tables, for a database whose roles may not make any. */
export function migrationSql(_options: MigrationOptions = {}): string {
  return ''
}
