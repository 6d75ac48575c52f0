/** Jest's asymmetric matchers with types: its own are `any`, which would spread. */

/** An error with these fields, for `toThrow`. */
export function errorWith(fields: Readonly<Record<string, unknown>>): Error {
  return expect.objectContaining(fields) as Error;
}

/** A text with `part` in it. */
export function containing(part: string): unknown {
  return expect.stringContaining(part);
}

export function anyNumber(): unknown {
  return expect.any(Number);
}
