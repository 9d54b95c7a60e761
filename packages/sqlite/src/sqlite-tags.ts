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

/** What {@link encodeTags} encoded. */
export function decodeTags(encoded: string): readonly string[] {
  return encoded === '' ? [] : (JSON.parse(encoded) as string[])
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
