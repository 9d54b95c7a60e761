import Database from 'better-sqlite3'
import type { Statements } from './sqlite-sql.js'

/**
 * The tags of an entry as its `tags` column holds them: a JSON array in a fixed order, so that
 * equal sets are equal strings; the empty string for none.
 *
 * @param tags each once.
 */
export function encodeTags(tags: readonly string[]): string {
  return tags.length === 0 ? '' : JSON.stringify([...tags].sort())
}

/**
 * What {@link encodeTags} encoded.
 *
 * @throws SqliteError `SQLITE_CORRUPT` for anything else: the remedy is that for a damaged page.
 */
export function decodeTags(encoded: string): readonly string[] {
  if (encoded === '') return []
  const tags = parsed(encoded)
  if (Array.isArray(tags) && tags.every(tag => typeof tag === 'string')) return tags
  throw new Database.SqliteError('the tags of an entry are not a list', 'SQLITE_CORRUPT')
}

/** `undefined` where it is no JSON. The parser's own error would show what is stored. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

/** Adds the tag rows of a new entry. Within the transaction that adds the entry. */
export function addTags(
  sql: Statements,
  prefix: number,
  id: number,
  tags: readonly string[],
): void {
  for (const tag of tags) sql.addTag.run(prefix, tag, id)
}

/** Removes the tag rows of an entry, within the transaction that removes the entry. */
export function removeTags(sql: Statements, prefix: number, id: number, encoded: string): void {
  for (const tag of decodeTags(encoded)) sql.removeTag.run(prefix, tag, id)
}

/** Turns the tag rows of an entry from `encoded` into `tags`, leaving those that are in both. */
export function changeTags(
  sql: Statements,
  prefix: number,
  id: number,
  encoded: string,
  tags: readonly string[],
): void {
  const before = new Set(decodeTags(encoded))
  for (const tag of tags) {
    if (!before.delete(tag)) sql.addTag.run(prefix, tag, id)
  }
  for (const tag of before) sql.removeTag.run(prefix, tag, id)
}
