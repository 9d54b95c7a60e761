/** The URL of a test server. Without it a test fails: skipped, it would look like passed. */
export function serverUrl(variable: 'L2_REDIS_URL' | 'L2_POSTGRES_URL'): string {
  const url = process.env[variable]
  if (url) return url
  throw new Error(`${variable} is not set: run tests through "pnpm test", which starts servers`)
}
