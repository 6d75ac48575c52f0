/** A value as it is printed for programs: every field is there, null where nothing is known. */
export function toDocument(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_key, field: unknown) => (field === undefined ? null : field)));
}
