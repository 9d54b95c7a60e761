/** Keys that all workers fight over: their histories say most. */
const HOT_KEYS = 16

/** Further keys, so that bulk calls have more to remove than fits into one slice. */
const COLD_KEYS = 1_000

const HOT_TAGS = 8

/** Names that a backend might take for something else. */
const ODD = ['', '%_', "it's", 'a\0b', '*?[x]', '{tag}', 'é', 'e\u0301', 'l2:', '\u{1f511}']

/** What the calls of a run name. Calls are logged by the places in these lists. */
export const KEYS: readonly string[] = Array.from({ length: HOT_KEYS + COLD_KEYS }, (_, at) =>
  at < ODD.length ? (ODD[at] as string) : `key ${at}`,
)
export const TAGS: readonly string[] = [
  ...Array.from({ length: HOT_TAGS }, (_, at) => ODD[at] ?? `tag ${at}`),
  'wide',
]
export const hotKeys = HOT_KEYS
export const hotTags = HOT_TAGS
/** The tag that most cold keys carry. */
export const WIDE = HOT_TAGS
