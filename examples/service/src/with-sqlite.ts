import { SqliteAdapter } from '@l2/sqlite'
import { prefix } from './config.js'
import { runService } from './service.js'

runService(new SqliteAdapter({ path: 'cache.db', prefix }))
