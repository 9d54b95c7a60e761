import { RedisAdapter } from '@l2/redis'
import { prefix, redisUrl } from './config.js'
import { runService } from './service.js'

runService(new RedisAdapter({ url: redisUrl, prefix }))
