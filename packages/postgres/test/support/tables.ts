/** What the tables of an adapter with `tablePrefix: 'l2_'` are called. */
export const entryTable = (schema: string): string => `"${schema.replaceAll('"', '""')}".l2_entries`
export const tagTable = (schema: string): string => `"${schema.replaceAll('"', '""')}".l2_tags`
