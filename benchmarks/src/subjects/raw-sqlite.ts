import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type Place, type Subject, TTL } from '../harness/subject.js'

/** A database as one would set it up by hand: WAL, `synchronous = NORMAL`. */
export function openDatabase({ folder }: Place): Database.Database {
  const db = new Database(join(folder, 'raw.db'))
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  db.exec(`
    CREATE TABLE entry (key TEXT PRIMARY KEY, value BLOB NOT NULL, expiry INTEGER NOT NULL);
    CREATE TABLE tag (key TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (key, tag)) WITHOUT ROWID;
    CREATE INDEX tagged ON tag (tag);
    CREATE TRIGGER untag AFTER DELETE ON entry BEGIN DELETE FROM tag WHERE key = old.key; END;
  `)
  return db
}

/** The prepared statements of a program that caches in SQLite without a library. */
export function prepareCalls(db: Database.Database) {
  const select = db.prepare('SELECT value FROM entry WHERE key = ? AND expiry > ?').pluck()
  const upsert = db.prepare(
    'INSERT INTO entry (key, value, expiry) VALUES (?, ?, ?) ' +
      'ON CONFLICT (key) DO UPDATE SET value = excluded.value, expiry = excluded.expiry',
  )
  const remove = db.prepare('DELETE FROM entry WHERE key = ?')
  const untag = db.prepare('DELETE FROM tag WHERE key = ?')
  const tag = db.prepare('INSERT INTO tag (key, tag) VALUES (?, ?)')
  const removeTagged = db.prepare(
    'DELETE FROM entry WHERE key IN (SELECT key FROM tag WHERE tag = ?)',
  )
  return {
    get: (key: string): unknown => select.get(key, Date.now()),
    /** Of an entry that has no tags and had none: one statement. */
    set: (key: string, value: unknown) => upsert.run(key, value, Date.now() + TTL),
    /** To be run in a transaction. */
    setTagged(key: string, value: unknown, tags: string[]) {
      upsert.run(key, value, Date.now() + TTL)
      untag.run(key)
      for (const each of tags) tag.run(key, each)
    },
    delete: (key: string) => remove.run(key),
    deleteByTag: (tag: string) => removeTagged.run(tag),
  }
}

/** The limit: a transaction per call, behind an `await`. */
export function open(place: Place): Subject {
  const db = openDatabase(place)
  const calls = prepareCalls(db)
  const setTagged = db.transaction(calls.setTagged).immediate
  return {
    get: async key => calls.get(key),
    set: async (key, value) => calls.set(key, value),
    setTagged: async (key, value, tags) => setTagged(key, value, tags),
    delete: async key => calls.delete(key),
    deleteByTag: async tag => calls.deleteByTag(tag),
    close: async () => db.close(),
  }
}
