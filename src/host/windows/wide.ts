/** NUL-terminated UTF-16, as Windows takes texts. */
export function encodeWide(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(`${text}\0`, "utf16le"));
}

/** REG_MULTI_SZ: texts that each end in NUL, and one NUL more. */
export function encodeMultiString(texts: readonly string[]): Uint8Array {
  return encodeWide(texts.map((text) => `${text}\0`).join(""));
}
