import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { Seen } from './value.js'
import type { Work } from './work.js'

/** How a call ended. `failed` has the code it was rejected with, or the error's name. */
export type Outcome =
  | { readonly is: 'done' | 'miss' | 'aborted' | 'refused' }
  | { readonly is: 'failed'; readonly code: string; readonly message: string }
  | Seen

/** One line of a worker's log. Times are of clock.ts; `n` counts the calls of one process. */
export type Line =
  | {
      readonly is: 'begin'
      readonly n: number
      readonly at: number
      readonly instance: number
      readonly work: Work
    }
  | { readonly is: 'end'; readonly n: number; readonly at: number; readonly outcome: Outcome }
  /** The instance's `close()` has resolved. */
  | { readonly is: 'closed'; readonly instance: number; readonly at: number }

/**
 * A worker's log. Each line is with the operating system when its method returns, so that it
 * survives the process.
 */
export class LogWriter {
  readonly #file: number

  constructor(path: string) {
    this.#file = openSync(path, 'a')
  }

  begin(n: number, at: number, instance: number, work: Work): void {
    writeSync(this.#file, `+ ${n} ${at} ${instance} ${wordsOf(work)}\n`)
  }

  end(n: number, at: number, outcome: Outcome): void {
    writeSync(this.#file, `- ${n} ${at} ${outcome.is}${detailsOf(outcome)}\n`)
  }

  closed(instance: number, at: number): void {
    writeSync(this.#file, `c ${instance} ${at}\n`)
  }

  close(): void {
    closeSync(this.#file)
  }
}

export function* readLog(path: string): Generator<Line, void> {
  const lines = readFileSync(path, 'utf8').split('\n')
  // What stands behind the last line break was cut off by the process's end.
  for (const line of lines.slice(0, -1)) yield parse(line.split(' '))
}

function wordsOf(work: Work): string {
  if (work.kind === 'set')
    return `set ${work.key} ${work.size} ${work.ttl} ${work.tags.join(',') || '-'}`
  if ('key' in work) return `${work.kind} ${work.key}`
  return 'tag' in work ? `${work.kind} ${work.tag}` : work.kind
}

function detailsOf(outcome: Outcome): string {
  if (outcome.is === 'whole') return ` ${outcome.key} ${outcome.id}`
  if (outcome.is === 'torn') return ` ${outcome.start}`
  return outcome.is === 'failed' ? ` ${outcome.code} ${outcome.message.replace(/\s+/g, ' ')}` : ''
}

function parse(words: readonly string[]): Line {
  const number = (at: number) => Number(words[at])
  if (words[0] === 'c') return { is: 'closed', instance: number(1), at: number(2) }
  const common = { n: number(1), at: number(2) }
  if (words[0] === '+') {
    return { is: 'begin', ...common, instance: number(3), work: parseWork(words.slice(4)) }
  }
  return { is: 'end', ...common, outcome: parseOutcome(words.slice(3)) }
}

function parseWork([kind, name, size, ttl, tags]: readonly string[]): Work {
  switch (kind) {
    case 'get':
    case 'delete':
      return { kind, key: Number(name) }
    case 'deleteByTag':
      return { kind, tag: Number(name) }
    case 'clear':
    case 'ping':
      return { kind }
    case 'set':
      return {
        kind,
        key: Number(name),
        size: Number(size),
        ttl: Number(ttl),
        tags: tags === '-' ? [] : (tags ?? '').split(',').map(Number),
      }
    default:
      throw new Error(`not a call: ${kind}`)
  }
}

function parseOutcome([is, first = '', ...rest]: readonly string[]): Outcome {
  switch (is) {
    case 'whole':
      return { is, key: Number(first), id: rest[0] ?? '' }
    case 'torn':
      return { is, start: first }
    case 'failed':
      return { is, code: first, message: rest.join(' ') }
    case 'done':
    case 'miss':
    case 'empty':
    case 'aborted':
    case 'refused':
      return { is }
    default:
      throw new Error(`not an outcome: ${is}`)
  }
}
