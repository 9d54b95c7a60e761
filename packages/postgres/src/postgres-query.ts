/** A row as it came: each column as text. */
export type Row = readonly (string | null)[]

/** What is sent in place of a parameter. Arrays are written by postgres-arrays.ts. */
export type Value = string | number | boolean | Uint8Array

/** What a query uses of pg's connection. The types of pg don't tell all of it. */
export interface Wire {
  readonly stream: { cork(): void; uncork(): void }
  /** Texts of statements that the server has, by their names, and of those it is being given. */
  readonly parsedStatements: Record<string, string | undefined>
  readonly submittedNamedStatements: Record<string, string | undefined>
  parse(what: { readonly text: string; readonly name: string }): void
  bind(what: { readonly statement: string; readonly values: readonly (string | Buffer)[] }): void
  execute(): void
  sync(): void
}

type Callback = (error: Error | null, rows?: Row[]) => void

/**
 * One statement as pg sends it where it is given no text, but an object with `submit`, as pg-cursor is.
 * Its own kind copies what it is given property by property and has the server describe each answer,
 * which we know: that is half of what a small call costs (see benchmarks).
 */
export class PostgresQuery {
  readonly text: string
  readonly name: string
  /** Of pg: it puts another in its place where there is a `query_timeout`. */
  callback: Callback
  readonly #values: readonly Value[]
  readonly #rows: Row[] = []

  /** @param name empty: the server keeps nothing of it. */
  constructor(text: string, name: string, values: readonly Value[], callback: Callback) {
    this.text = text
    this.name = name
    this.callback = callback
    this.#values = values
  }

  submit(wire: Wire): null {
    const { name, text } = this
    wire.stream.cork()
    try {
      const isKnown =
        name !== '' &&
        (wire.parsedStatements[name] ?? wire.submittedNamedStatements[name]) !== undefined
      if (!isKnown) {
        wire.parse({ text, name })
        if (name !== '') wire.submittedNamedStatements[name] = text
      }
      wire.bind({ statement: name, values: this.#values.map(asSent) })
      wire.execute()
      wire.sync()
    } finally {
      wire.stream.uncork()
    }
    return null
  }

  handleDataRow({ fields }: { readonly fields: Row }): void {
    this.#rows.push(fields)
  }

  handleError(error: Error): void {
    this.callback(error)
  }

  handleReadyForQuery(): void {
    this.callback(null, this.#rows)
  }

  handleRowDescription(): void {}
  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
}

const asSent = (value: Value): string | Buffer =>
  value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : String(value)
