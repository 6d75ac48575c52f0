import { sha1 } from "./sha1.ts";

/** A GUID in lower-case text form, `8-4-4-4-12`. */
export type Guid = string & { readonly __brand: "Guid" };

/** A MAC address in lower case with colons. */
export type Mac = string & { readonly __brand: "Mac" };

const GUID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const MAC_PATTERN = /^[0-9a-f]{2}([:-]?)[0-9a-f]{2}(\1[0-9a-f]{2}){4}$/i;

export const ZERO_GUID = "00000000-0000-0000-0000-000000000000" as Guid;

/** The namespace of every id this product derives: UUIDv5 of "hns-cni" in the DNS namespace of RFC 9562. */
export const PRODUCT_NAMESPACE = "4919b1fc-68d7-5e4c-8ad8-7b2b01497fe4" as Guid;

/** The GUID in `text`, with or without braces, any case; undefined when it is none. */
export function findGuid(text: string): Guid | undefined {
  const trimmed = text.trim();
  const bare = trimmed.startsWith("{") && trimmed.endsWith("}") ? trimmed.slice(1, -1) : trimmed;
  return GUID_PATTERN.test(bare) ? (bare.toLowerCase() as Guid) : undefined;
}

/** GUID text as HNS writes it: upper case. */
export function formatGuid(guid: Guid): string {
  return guid.toUpperCase();
}

/** Whether two texts name the same GUID, whatever their case and braces. */
export function sameGuid(left: string, right: string): boolean {
  const guid = findGuid(left);
  return guid !== undefined && guid === findGuid(right);
}

/** UUIDv5 (RFC 9562) of `parts` within `namespace`. Parts are joined by NUL, so ("a","bc") and ("ab","c") differ. */
export function buildGuid(namespace: Guid, parts: readonly string[]): Guid {
  const name = new TextEncoder().encode(parts.join("\0"));
  const input = new Uint8Array(16 + name.length);
  input.set(parseHex(namespace.replaceAll("-", "")), 0);
  input.set(name, 16);
  const digest = sha1(input).subarray(0, 16);
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  return formatBytes(digest);
}

/** The 16 bytes of a Windows GUID structure: the first three fields little-endian. */
export function guidToBytes(guid: Guid): Uint8Array {
  const bytes = parseHex(guid.replaceAll("-", ""));
  return Uint8Array.of(...[3, 2, 1, 0, 5, 4, 7, 6].map((index) => bytes[index] ?? 0), ...bytes.subarray(8));
}

/** The MAC in `text` (`00-15-5D-..`, `00:15:5d:..` or bare hex), in lower case with colons; undefined when it is none. */
export function findMac(text: string): Mac | undefined {
  const trimmed = text.trim();
  if (!MAC_PATTERN.test(trimmed)) return undefined;
  const digits = trimmed.replaceAll(/[:-]/g, "").toLowerCase();
  return (digits.match(/../g) ?? []).join(":") as Mac;
}

/** The bytes of a GUID's 32 digits, four at a time: each call to HNS has one. */
function parseHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < 16; at += 4) view.setUint32(at, Number.parseInt(hex.slice(2 * at, 2 * at + 8), 16));
  return bytes;
}

function formatBytes(bytes: Uint8Array): Guid {
  let hex = "";
  for (const byte of bytes) hex += (byte < 16 ? "0" : "") + byte.toString(16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-") as Guid;
}

/** As HNS writes it: `00-15-5D-01-02-03`. */
export function formatMac(mac: Mac): string {
  return mac.replaceAll(":", "-").toUpperCase();
}
