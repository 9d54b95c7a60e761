// @ts-check

/**
 * Makes this process a `Child` (see child-process.mjs): it does what its parent asks over IPC. What
 * a `RemoteAdapter` asks comes with it.
 *
 * @param {(options: any) => any} open an adapter.
 * @param {Record<string, (...args: any[]) => unknown>} actions what else it can do.
 */
export function serve(open, actions) {
  const handles = new Map()
  /** @type {Map<number, AbortController>} */
  const aborts = new Map()

  /** @type {typeof actions} */
  const remote = {
    open: (handle, options) => void handles.set(handle, open(options)),
    call(handle, method, args, options, id) {
      const abort = new AbortController()
      aborts.set(id, abort)
      return handles.get(handle)[method](...args, { ...options, signal: abort.signal })
    },
    abort: id => aborts.get(id)?.abort(),
    close: handle => handles.get(handle).close(),
  }
  const all = new Map(Object.entries({ ...remote, ...actions }))

  process.on('message', async (/** @type {any} */ { id, action, args }) => {
    try {
      const perform = all.get(action)
      if (!perform) throw new Error(`no such action: ${action}`)
      process.send?.({ id, result: await perform(...args, id) })
    } catch (thrown) {
      const { name, message, code, retryable } = /** @type {any} */ (thrown)
      process.send?.({ id, error: { name, message, code, retryable } })
    } finally {
      aborts.delete(id)
    }
  })
  process.on('disconnect', () => process.exit())
  process.send?.({ ready: true })
}
