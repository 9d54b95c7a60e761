import type { Layout } from './postgres-checks.js'
import { TAG_BYTES } from './postgres-keys.js'
import { ageing, lasting, type Statement } from './postgres-statement.js'

/** The first of the two numbers of our advisory locks: "l2pg". */
export const LOCKS = 0x6c327067

/** The same for sweeping and for making tables: whatever the others are, these are not among them. */
export const HOUSEKEEPING = LOCKS + 1

/** Everything that is done with entries, for one set of tables. */
export interface Statements {
  readonly get: Statement
  readonly getMany: Statement
  readonly setUntagged: Statement
  readonly setManyUntagged: Statement
  readonly setMany: Statement
  readonly remove: Statement
  readonly removeTagged: Statement
  readonly removeAll: Statement
  readonly removeExpired: Statement
  readonly removeDeadTags: Statement
  readonly ping: Statement
}

/*
 * What keeps tags true, whoever writes at the same time and whatever is interrupted:
 *
 * - A version (`ver`) is random. It comes into the entry and its tag rows in one transaction, is never
 *   used again, and stays only where an entry is set with the tags it has, under the lock of its row.
 *   So a version that no entry has is dead for good, and tag rows of it are harmless.
 * - A tag row counts where its hash and version are those of an entry. Old ones can't match; those of
 *   an entry that is there were committed with it.
 * - Whoever locks several entries does so in the order of their hashes, and tag rows are locked only
 *   under the lock of their entry or passing over those that are locked: nobody waits in a circle.
 *   FOR UPDATE sees the latest version of a row, and drops it where it does not match any more.
 *
 * And what keeps a write that was given up from coming late: its first step is a lock by which it can
 * be found ($1), and the second to look at the clock ($2, ms since 1970): too late, and it does nothing.
 * Each step reads the one before it, and `pass` is empty where it is too late, as is the answer. The
 * answer begins with what the clock said. See postgres-fence.ts.
 *
 * Functions and operators are called with just the types that Postgres has them for, and by all our SQL:
 * where it had to convert, one that suits better, which another role has made in a schema of the
 * search_path, would be taken for it, and run with our rights.
 */
export function statementsFor({ entries, tags, logged }: Layout): Statements {
  const fence = (more: string): string => `
pass AS MATERIALIZED (
  SELECT at FROM (
    SELECT ${NOW} AS at FROM (
      SELECT pg_advisory_xact_lock_shared(${LOCKS}, $1::int4)::text${more} AS held OFFSET 0
    ) lock WHERE held IS NOT NULL OFFSET 0
  ) clock WHERE at < $2::numeric
)`
  // What a crash of the server takes of the last sets, it may have; of what removes, nothing.
  const hasty = fence(logged ? " || set_config('synchronous_commit', 'off', true)" : '')
  // Also where a role's own default is not to wait.
  const lasts = fence(
    logged
      ? ` || set_config('synchronous_commit', CASE current_setting('synchronous_commit')
        WHEN 'off' THEN 'local' ELSE current_setting('synchronous_commit') END, true)`
      : '',
  )
  const answer = 'SELECT at FROM pass'
  const expiry = (ttl: string): string =>
    `CASE WHEN ${ttl} = '0' THEN 'infinity' ELSE now() + ${ttl} * interval '1 millisecond' END`
  const alive = 'e.exp > now()'
  const untagged = `ON CONFLICT (h) DO UPDATE
  SET k = excluded.k, v = excluded.v, exp = excluded.exp, ver = 0, tags = ''`
  /**
   * Removes what `gone` has locked, with its tag rows. One look-up for each, which no estimate turns
   * into a join that reads all of a table. A tag row is never updated, so that its place stands for it.
   */
  const removal = `
removed AS (DELETE FROM ${entries} WHERE h = ANY(ARRAY(SELECT h FROM gone)) RETURNING 1),
theirs AS MATERIALIZED (
  SELECT t.ctid FROM gone CROSS JOIN LATERAL (
    SELECT t.ctid FROM ${tags} t
    WHERE t.tag = ANY(ARRAY(
      SELECT ${tagAt('gone.tags')} FROM generate_series(0, length(gone.tags) / ${TAG_BYTES} - 1) i
    )) AND t.h = gone.h AND t.ver = gone.ver OFFSET 0
  ) t WHERE gone.tags <> ''
),
untagged AS (DELETE FROM ${tags} WHERE ctid = ANY(ARRAY(SELECT ctid FROM theirs)) RETURNING 1)`
  /** @param last tells the place of the last row that was found. */
  const report = (last: string): string => `
SELECT at, (SELECT count(*) FROM found), (SELECT count(*) FROM removed), ${last},
  (SELECT count(*) FROM untagged), ${NOW}
FROM pass`
  /** Who sweeps, alone at a time: $1 tells whether to wait for that. */
  const turn = `
pass AS MATERIALIZED (
  SELECT ${NOW} AS at FROM (SELECT
    CASE WHEN $1::bool THEN pg_advisory_xact_lock(${HOUSEKEEPING}, $2::int4) IS NOT NULL
    ELSE pg_try_advisory_xact_lock(${HOUSEKEEPING}, $2::int4) END AS is_mine OFFSET 0) lock
  WHERE is_mine
)`
  // So that no plan is made for the length of one array: one for any length is kept, and serves them all.
  const unnest = (...arrays: string[]): string =>
    `unnest(${arrays.map(array => `(SELECT ${array})`).join(', ')})`
  const values = ['$3::bytea[]', '$4::bytea[]', '$5::bytea[]', '$6::float8[]']
  return {
    get: ageing(`
SELECT encode(e.v, 'base64') FROM ${entries} e WHERE e.h = $1::bytea AND e.k = $2::bytea AND ${alive}`),
    // The limit keeps it a look-up for each: no join that reads all of the table.
    getMany: ageing(`
SELECT a.i, e.v FROM ${unnest('$1::bytea[]', '$2::bytea[]')} WITH ORDINALITY a(h, k, i)
CROSS JOIN LATERAL (
  SELECT encode(e.v, 'base64') FROM ${entries} e WHERE e.h = a.h AND e.k = a.k AND ${alive} LIMIT 1
) e(v)`),
    setUntagged: lasting(`
WITH ${hasty}
INSERT INTO ${entries} (h, k, v, exp, ver, tags)
SELECT $3::bytea, $4::bytea, $5::bytea, ${expiry('$6::float8')}, 0, '' FROM pass
${untagged}
RETURNING (SELECT at FROM pass)`),
    setManyUntagged: lasting(`
WITH ${hasty},
done AS (
  INSERT INTO ${entries} (h, k, v, exp, ver, tags)
  SELECT s.h, s.k, s.v, ${expiry('s.ttl')}, 0, ''
  FROM pass, ${unnest(...values)} s(h, k, v, ttl)
  ${untagged}
)
${answer}`),
    setMany: lasting(`
WITH ${hasty},
done AS (
  INSERT INTO ${entries} AS old (h, k, v, exp, ver, tags)
  SELECT s.h, s.k, s.v, ${expiry('s.ttl')}, s.ver, s.tags
  FROM pass, ${unnest(...values, '$7::int8[]', '$8::bytea[]')}
    s(h, k, v, ttl, ver, tags)
  ON CONFLICT (h) DO UPDATE
  SET k = excluded.k, v = excluded.v, exp = excluded.exp, tags = excluded.tags,
    ver = CASE WHEN old.tags = excluded.tags THEN old.ver ELSE excluded.ver END
  RETURNING h, ver, tags
),
tagged AS (
  INSERT INTO ${tags} (tag, h, ver)
  SELECT ${tagAt('done.tags')}, done.h, done.ver
  FROM ${unnest('$3::bytea[]', '$7::int8[]')} s(h, ver) JOIN done USING (h, ver),
    generate_series(0, length(done.tags) / ${TAG_BYTES} - 1) i
)
${answer}`),
    remove: ageing(`
WITH ${lasts},
gone AS MATERIALIZED (
  SELECT e.* FROM pass, ${unnest('$3::bytea[]', '$4::bytea[]')} s(h, k) CROSS JOIN LATERAL (
    SELECT e.h, e.ver, e.tags FROM ${entries} e WHERE e.h = s.h AND e.k = s.k FOR UPDATE
  ) e
),${removal}
${answer}`),
    // In each of those that follow, the first step reads an index in its order, whatever is known of the
    // table: what does not belong is left out afterwards.
    // $3 the tag, $4 and $5 the place of the last slice's last row, $6 how many rows.
    removeTagged: {
      text: `
WITH ${lasts},
found AS MATERIALIZED (
  SELECT t.h, t.ver FROM pass, LATERAL (
    SELECT t.tag, t.h, t.ver FROM ${tags} t
    WHERE (t.tag, t.h, t.ver) > ($3::bytea, $4::bytea, $5::int8)
    ORDER BY t.tag, t.h, t.ver LIMIT $6::int4
  ) t WHERE t.tag = $3::bytea
),
gone AS MATERIALIZED (
  SELECT e.* FROM found CROSS JOIN LATERAL (
    SELECT e.h, e.ver, e.tags FROM ${entries} e
    WHERE e.h = found.h AND e.ver = found.ver FOR UPDATE
  ) e
),${removal}
${report("(SELECT encode(h, 'hex') || ' ' || ver::text FROM found ORDER BY h DESC, ver DESC LIMIT 1)")}`,
    },
    // $3 what names begin with, $4 its length, $5 the last hash so far, $6 the last of all, $7 how many.
    removeAll: {
      text: `
WITH ${lasts},
found AS MATERIALIZED (
  SELECT e.h FROM pass, LATERAL (
    SELECT e.h FROM ${entries} e WHERE e.h > $5::bytea ORDER BY e.h LIMIT $7::int4
  ) e WHERE e.h <= $6::bytea
),
gone AS MATERIALIZED (
  SELECT e.* FROM found CROSS JOIN LATERAL (
    SELECT e.h, e.ver, e.tags FROM ${entries} e
    WHERE e.h = found.h AND substring(e.k FOR $4::int4) = $3::bytea FOR UPDATE
  ) e
),${removal}
${report("(SELECT encode(h, 'hex') FROM found ORDER BY h DESC LIMIT 1)")}`,
    },
    // $3 how many rows, $4 the expiry of the last slice's last row. By age, locked by hash.
    removeExpired: {
      text: `
WITH ${turn},
found AS MATERIALIZED (
  SELECT e.h, e.exp FROM pass, LATERAL (
    SELECT e.h, e.exp FROM ${entries} e WHERE e.exp >= to_timestamp($4::float8) AND e.exp < 'infinity'
    ORDER BY e.exp LIMIT $3::int4
  ) e WHERE e.exp <= now()
),
gone AS MATERIALIZED (
  SELECT e.* FROM (SELECT h FROM found ORDER BY h) found CROSS JOIN LATERAL (
    SELECT e.h, e.ver, e.tags FROM ${entries} e
    WHERE e.h = found.h AND e.exp <= now() FOR UPDATE SKIP LOCKED
  ) e
),${removal}
${report('(SELECT extract(epoch FROM max(exp)) FROM found)')}`,
    },
    // $3 how many rows, $4 to $6 the place of the last slice's last row.
    removeDeadTags: {
      text: `
WITH ${turn},
found AS MATERIALIZED (
  SELECT t.* FROM pass, LATERAL (
    SELECT t.tag, t.h, t.ver FROM ${tags} t
    WHERE (t.tag, t.h, t.ver) > ($4::bytea, $5::bytea, $6::int8)
    ORDER BY t.tag, t.h, t.ver LIMIT $3::int4
  ) t
),
dead AS MATERIALIZED (
  SELECT f.* FROM found f
  WHERE (SELECT true FROM ${entries} e WHERE e.h = f.h AND e.ver = f.ver LIMIT 1) IS NULL
),
gone AS MATERIALIZED (
  SELECT t.* FROM dead d CROSS JOIN LATERAL (
    SELECT t.ctid FROM ${tags} t
    WHERE t.tag = d.tag AND t.h = d.h AND t.ver = d.ver FOR UPDATE SKIP LOCKED
  ) t
),
untagged AS (DELETE FROM ${tags} WHERE ctid = ANY(ARRAY(SELECT ctid FROM gone)) RETURNING 1),
removed AS (SELECT 1 FROM pass WHERE false)
${report("(SELECT encode(tag, 'hex') || ' ' || encode(h, 'hex') || ' ' || ver::text FROM found ORDER BY tag DESC, h DESC, ver DESC LIMIT 1)")}`,
    },
    // Removes nothing, as no hash is empty, and needs the right to; a transaction id is what a server
    // that takes no writes can't give.
    ping: ageing(`
WITH nothing AS (DELETE FROM ${entries} WHERE h = '') SELECT pg_current_xact_id()`),
  }
}

/** The server's clock, in ms since 1970. Not a float8, which a session may round (extra_float_digits). */
export const NOW = '(extract(epoch FROM clock_timestamp()) * 1000::numeric)'

const tagAt = (tags: string): string =>
  `substring(${tags} FROM i * ${TAG_BYTES} + 1 FOR ${TAG_BYTES})`
