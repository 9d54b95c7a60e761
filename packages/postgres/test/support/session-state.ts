/** What a session may have kept that whoever uses it next would notice: a query of one row. */
export const SESSION_STATE = `SELECT
  (SELECT array_agg(name || '=' || setting ORDER BY name) FROM pg_settings
     WHERE name NOT IN ('application_name')) AS settings,
  (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory') AS locks,
  (SELECT count(*)::int FROM pg_listening_channels()) AS channels,
  (SELECT count(*)::int FROM pg_cursors WHERE statement NOT LIKE '%pg_cursors%') AS cursors,
  (SELECT count(*)::int FROM pg_class WHERE relpersistence = 't') AS temporary`
