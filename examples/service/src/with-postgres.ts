import { PostgresAdapter } from '@l2/postgres'
import { postgresUrl, prefix } from './config.js'
import { runService } from './service.js'

runService(new PostgresAdapter({ url: postgresUrl, prefix }))
