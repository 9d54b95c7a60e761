// @ts-check

/**
 * @typedef {object} Fence
 * @property {number} line of the opening fence, counted from 1
 * @property {boolean} runs
 * @property {string} code
 */

/**
 * The TypeScript code fences of a Markdown text. One marked `ts no-run` is compiled only, for what
 * takes a server or never ends; any other mark is a mistake.
 *
 * @param {string} markdown
 * @returns {Fence[]}
 */
export function typescriptFences(markdown) {
  /** @type {Fence[]} */
  const fences = []
  /** @type {{ fence: string, line: number, info: string, code: string[] } | undefined} */
  let open
  for (const [at, text] of markdown.split('\n').entries()) {
    const [, fence, info = ''] = /^ {0,3}(`{3,})(.*)$/.exec(text) ?? []
    if (!open) {
      if (fence) open = { fence, line: at + 1, info: info.trim(), code: [] }
    } else if (fence?.startsWith(open.fence) && info.trim() === '') {
      const [language, ...marks] = open.info.split(/\s+/)
      if (language === 'ts' || language === 'typescript') {
        const unknown = marks.filter(mark => mark !== 'no-run')
        if (unknown.length > 0)
          throw new Error(`line ${open.line}: unknown mark ${unknown.join(' ')}`)
        fences.push({ line: open.line, runs: marks.length === 0, code: open.code.join('\n') })
      }
      open = undefined
    } else {
      open.code.push(text)
    }
  }
  if (open) throw new Error(`line ${open.line}: the code fence is never closed`)
  return fences
}
