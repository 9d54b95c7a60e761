export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export const text = (value: Uint8Array | undefined): string | undefined =>
  value && new TextDecoder().decode(value)
