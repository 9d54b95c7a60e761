import { randomInt } from 'node:crypto'
import type { Client } from 'pg'
import { beforeEach, describe, expect, test } from 'vitest'
import { byteaArray, float8Array, int8Array } from '../src/postgres-arrays.js'
import { resolveLayout } from '../src/postgres-checks.js'
import { Keyspace } from '../src/postgres-keys.js'
import { LOCKS, statementsFor } from '../src/postgres-sql.js'
import { openAdapter, openSession } from './support/adapters.js'

/*
 * What a write that was given up can not do. Its statement is sent here as the adapter sends it, but
 * with a time that is over, or comes to an end while it waits.
 */

const PREFIX = 'fence:'
const KEYS = new Keyspace(PREFIX)
const ROW = KEYS.row('k')
const NEVER = 0
const LOWEST = '-9223372036854775808'

const names = [byteaArray([ROW.hash]), byteaArray([ROW.name])]
const value = Buffer.from('late')
const many = [...names, byteaArray([value]), float8Array([0])]
const tagged = [int8Array([Buffer.from('0000000000000007', 'hex')]), byteaArray([KEYS.tag('u')])]

const WRITES: [keyof ReturnType<typeof statementsFor>, readonly unknown[]][] = [
  ['setUntagged', [ROW.hash, ROW.name, value, 0]],
  ['setManyUntagged', many],
  ['setMany', [...many, ...tagged]],
  ['remove', names],
  ['removeTagged', [KEYS.tag('t'), Buffer.alloc(0), LOWEST, 10]],
  ['removeAll', [KEYS.start, KEYS.start.length, KEYS.first, KEYS.last, 10]],
]

const untilWaiting = (raw: Client, type: string) =>
  expect
    .poll(async () => {
      const sql = 'SELECT FROM pg_locks WHERE NOT granted AND locktype = $1'
      return (await raw.query(sql, [type])).rowCount
    })
    .toBeGreaterThan(0)

describe.each([false, true])('logged %j', logged => {
  const tablePrefix = logged ? 'l2_fence_logged_' : 'l2_fence_'
  const sql = statementsFor(resolveLayout({ tablePrefix, logged }))
  const open = () => openAdapter({ prefix: PREFIX, tablePrefix, logged })

  beforeEach(async () => {
    const adapter = open()
    await adapter.clear()
    await adapter.set('k', Buffer.from('before'), { tags: ['t'] })
  })

  const expectUntouched = async () => {
    const adapter = open()
    expect(Buffer.from((await adapter.get('k')) ?? []).toString()).toBe('before')
    await adapter.deleteByTag('u')
    expect(await adapter.get('k')).toBeDefined()
    await adapter.deleteByTag('t')
    expect(await adapter.get('k')).toBe(undefined)
  }

  test.each(WRITES)('%s does nothing once its time is over', async (name, values) => {
    const raw = await openSession()
    const { rows } = await raw.query({
      text: sql[name].text,
      values: [1, NEVER, ...values],
      rowMode: 'array',
    })
    expect(rows).toEqual([])
    await expectUntouched()
  })

  test.each(WRITES)(
    '%s waits for the disk as it should, whatever the role does',
    async (name, values) => {
      const raw = await openSession()
      for (const usual of ['off', 'local', 'on']) {
        await raw.query(`SET synchronous_commit = ${usual}`)
        await raw.query('BEGIN')
        await raw.query({ text: sql[name].text, values: [1, 'Infinity', ...values] })
        const { rows } = await raw.query('SHOW synchronous_commit')
        await raw.query('ROLLBACK')
        const removal = usual === 'off' ? 'local' : usual
        const expected = name.startsWith('set') ? 'off' : removal
        expect(rows[0].synchronous_commit).toBe(logged ? expected : usual)
      }
    },
  )

  test.each(WRITES)(
    '%s looks at the clock when it can be found, not before',
    async (name, values) => {
      const [holder, raw] = [await openSession(), await openSession()]
      const id = randomInt(2 ** 31)
      await holder.query('BEGIN')
      await holder.query('SELECT pg_advisory_xact_lock($1, $2)', [LOCKS, id])
      const { rows: now } = await raw.query(
        'SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms',
      )
      const late = raw.query({
        text: sql[name].text,
        values: [id, Number(now[0].ms) + 300, ...values],
        rowMode: 'array',
      })
      await untilWaiting(holder, 'advisory')
      await holder.query('SELECT pg_sleep(0.4)')
      await holder.query('COMMIT')
      expect((await late).rows).toEqual([])
      await expectUntouched()
    },
  )

  test.each(WRITES)('%s can be found while it waits, and ended', async (name, values) => {
    const [holder, raw, other] = [await openSession(), await openSession(), await openSession()]
    const id = randomInt(2 ** 31)
    await holder.query('BEGIN')
    await holder.query(`SELECT FROM ${tablePrefix}entries FOR UPDATE`)
    const waiting = raw
      .query({ text: sql[name].text, values: [id, 'Infinity', ...values] })
      .catch((error: unknown) => error)
    await untilWaiting(other, 'transactionid')
    const { rows } = await other.query(
      `SELECT pg_terminate_backend(pid, 5000) AS ended FROM pg_locks
      WHERE locktype = 'advisory' AND classid = $1 AND objid = $2::int8::oid AND objsubid = 2`,
      [LOCKS, id],
    )
    expect(rows).toEqual([{ ended: true }])
    await holder.query('COMMIT')
    expect(await waiting).toMatchObject({ code: '57P01' })
    await expectUntouched()
  })
})
