// @ts-check
// What every worker of the fuzzer imports.
import { SqliteAdapter } from '@l2/sqlite'

/** @param {import('@l2/sqlite').SqliteAdapterOptions} config */
export const open = config => new SqliteAdapter(config)
