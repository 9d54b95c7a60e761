export { PostgresAdapter } from './postgres-adapter.js'
export type { PostgresAdapterOptions } from './postgres-options.js'
export { type MigrationOptions, migrationSql } from './postgres-schema.js'
