// Another process, told over IPC what to do. It runs what is published, from dist.

import { RedisAdapter } from '@l2/redis'
import { actionsOn } from '../../../core/test/support/actions.mjs'
import { serve } from '../../../core/test/support/serve.mjs'

const open = options => new RedisAdapter(options)

serve(open, actionsOn(open))
