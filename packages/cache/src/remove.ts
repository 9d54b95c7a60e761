import type { EntrySettings } from './entry-options.js'
import { limitsOf, NO_LIMITS } from './l2.js'
import type { Layers } from './layers.js'

/** `delete`, and `expire`, which leaves what L1 has to those who take stale values. */
export async function remove(
  layers: Layers,
  key: string,
  operation: 'delete' | 'expire',
  settings: EntrySettings,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { l1, l2, fences } = layers
  const pending = fences.deleteKey(key, operation)
  l1?.[operation](key)
  try {
    await l2?.remove({ operation, key }, limitsOf(settings, signal), adapter =>
      adapter.delete(key, signal && { signal }),
    )
  } finally {
    fences.settleKey(key, pending)
  }
}

/** `deleteByTag`. */
export async function removeByTag(
  layers: Layers,
  tag: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { l1, l2, fences } = layers
  const pending = fences.deleteTag(tag)
  l1?.deleteByTag(tag)
  try {
    await l2?.remove({ operation: 'deleteByTag', tag }, { ...NO_LIMITS, signal }, adapter =>
      adapter.deleteByTag(tag, signal && { signal }),
    )
  } finally {
    fences.settleTag(tag, pending)
  }
}

/** `clear`. @param alsoL2 else L1 alone. */
export async function removeAll(
  layers: Layers,
  alsoL2: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { l1, l2, fences } = layers
  fences.deleteAll()
  l1?.clear()
  try {
    if (alsoL2)
      await l2?.remove({ operation: 'clear' }, { ...NO_LIMITS, signal }, adapter =>
        adapter.clear(signal && { signal }),
      )
  } finally {
    fences.settleAll()
  }
}
