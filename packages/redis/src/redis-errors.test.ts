import { expect, test } from 'vitest'
import { describeError } from './redis-errors.js'

test.each([
  ["OOM command not allowed when used memory > 'maxmemory'.", 'L2_FULL', 'raise maxmemory'],
  // As a script of Redis 6.2 says it.
  [
    "ERR Error running script (call to f_6b1b): @user_script:3: @user_script: 3: -OOM command not allowed when used memory > 'maxmemory'.",
    'L2_FULL',
    'raise maxmemory',
  ],
  [
    "READONLY You can't write against a read only replica.",
    'L2_READ_ONLY',
    'connect to its primary',
  ],
  [
    "ERR Error running script (call to f_6b1b): @user_script:3: -READONLY You can't write against a read only replica.",
    'L2_READ_ONLY',
    'connect to its primary',
  ],
  ['MISCONF Redis is configured to save RDB snapshots, but', 'L2_READ_ONLY', 'its disk'],
  [
    "NOPERM this user has no permissions to run the 'eval' command",
    'L2_UNSUITABLE_BACKEND',
    '+eval',
  ],
  [
    "NOPERM User cache has no permissions to run the 'mget' command",
    'L2_UNSUITABLE_BACKEND',
    '+mget',
  ],
  [
    "ERR The user executing the script can't run this command or subcommand",
    'L2_UNSUITABLE_BACKEND',
    '+zadd',
  ],
  // As Valkey 8 says it.
  [
    "ERR ACL failure in script: User cache has no permissions to run the 'get' command script: 6df7, on @user_script:16.",
    'L2_UNSUITABLE_BACKEND',
    '+get',
  ],
  ['WRONGPASS invalid username-password pair or user is disabled.', 'L2_UNAVAILABLE', 'password'],
  ['NOAUTH Authentication required.', 'L2_UNAVAILABLE', 'password'],
  ['MOVED 3999 127.0.0.1:6381', 'L2_UNSUITABLE_BACKEND', 'Cluster'],
  ["CROSSSLOT Keys in request don't hash to the same slot", 'L2_UNSUITABLE_BACKEND', 'Cluster'],
  ['CLUSTERDOWN Hash slot not served', 'L2_UNAVAILABLE', 'no primary'],
  ['TRYAGAIN Multiple keys request during rehashing of slot', 'L2_UNAVAILABLE', 'moving'],
  ['L2LAYOUT another version', 'L2_SCHEMA_MISMATCH', 'one version'],
  [
    'WRONGTYPE Operation against a key holding the wrong kind of value',
    'L2_CORRUPT_STORE',
    'prefix',
  ],
  [
    "ERR unknown command 'UNLINK', with args beginning with: 'canary'",
    'L2_UNSUITABLE_BACKEND',
    '6.2',
  ],
  ['ERR Unknown Redis command called from script', 'L2_UNSUITABLE_BACKEND', '6.2'],
  ['LOADING Redis is loading the dataset in memory', 'L2_UNAVAILABLE', 'in a moment'],
  ['BUSY Redis is busy running a script.', 'L2_UNAVAILABLE', 'SCRIPT KILL'],
  ['Connection is closed.', 'L2_UNAVAILABLE', 'may have taken effect'],
  ['read ECONNRESET', 'L2_UNAVAILABLE', 'may have taken effect'],
  ['write EPIPE', 'L2_UNAVAILABLE', 'may have taken effect'],
  ['write ECONNRESET', 'L2_UNAVAILABLE', 'may have taken effect'],
  ['Unknown RESP type 72 "H". Please report this.', 'L2_UNSUITABLE_BACKEND', 'no Redis'],
  ['ERR DB index is out of range', 'L2_UNSUITABLE_BACKEND', 'raise `databases`'],
  [
    'All sentinels are unreachable and retry is disabled. Last error: ERR No such master with that name',
    'L2_UNSUITABLE_BACKEND',
    '`name`',
  ],
  ['All sentinels are unreachable and retry is disabled.', 'L2_UNSUITABLE_BACKEND', '`name`'],
  [
    'All sentinels are unreachable and retry is disabled. Last error: WRONGPASS invalid',
    'L2_UNAVAILABLE',
    'password',
  ],
])('%s', (message, code, remedy) => {
  const failure = describeError(new Error(message))
  expect(failure?.code).toBe(code)
  expect(failure?.message).toContain(remedy)
  expect(failure?.message).not.toContain('canary')
})

test('credentials that are refused are not tried again', () => {
  expect(describeError(new Error('WRONGPASS invalid'))?.retryable).toBe(false)
})

test('what has no remedy to name is left as it is', () => {
  for (const error of [
    new Error('connect ECONNREFUSED'),
    new Error(
      'All sentinels are unreachable and retry is disabled. Last error: connect ECONNREFUSED',
    ),
    new Error(''),
    'OOM',
    null,
    undefined,
    { message: 'OOM' },
  ])
    expect(describeError(error)).toBeUndefined()
})

test('names and values that an error quotes decide nothing', () => {
  const quoted = `ERR something else: '${'x'.repeat(300)} OOM'`
  expect(describeError(new Error(quoted))).toBeUndefined()
})
