// Another process, told over IPC what to do. It runs what is published, from dist.

import { PostgresAdapter } from '@l2/postgres'
import { actionsOn } from '../../../core/test/support/actions.mjs'
import { serve } from '../../../core/test/support/serve.mjs'

const open = options => new PostgresAdapter(options)

serve(open, actionsOn(open))
