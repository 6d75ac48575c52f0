import type { Random } from "./random.ts";

type JsonObject = Record<string, unknown>;

/** Values that programs trip over: of a wrong type, at a limit, or with a meaning in JavaScript, Windows or Go. */
const ODD_VALUES: readonly unknown[] = [
  null, true, false, 0, -1, 1, 1.5, 1e21, -1e308, 65535, 65536, 2 ** 31, 2 ** 53, "", " ", "\0", "0", "null", "true", "hns-cni", "pods", "pods2", "POD\u0301S", "\ud800", "💥".repeat(40),
  "a".repeat(300), "x".repeat(70_000), "10.244.3.0/24", "10.244.3.1/24", "10.244.9.0/29", "10.244.3.0/30", "0.0.0.0/0", "255.255.255.255", "::/0", "fd00::/64", "10.244.3.0/24,fd00::/64", "10.0.0.0/33",
  "1.1.0", "1.0.0", "0.4.0", "0.3.1", "0.2.0", "0.1.0", "9.9.9", "1.1", "C:\\x", "\\\\?\\C:\\x", "/dev/null", "/proc/self/mem", "../..", "not found", "debug", "ipam", "none", "host-endpoint",
  [], [[]], [null], {}, { "": {} }, { toString: 1 }, Array.from({ length: 200 }, (_, index) => index),
]; // prettier-ignore

const ODD_KEYS = ["", "__proto__", "constructor", "toString", "NAME", "Name", "name", "cniversion", "ipam", "IPAM", "prevResult", "runtimeConfig", "cni.dev/attachments", "cni.dev/valid-attachments", "x".repeat(200), "\u0130pam", "dnſ"]; // prettier-ignore

/** Changes one thing in `document`, and gives it back, or what takes its place. */
export function mutateDocument(random: Random, document: unknown): unknown {
  const places = listObjects(document);
  if (places.length === 0) return oddValue(random);
  const place = random.pick(places);
  const keys = Object.keys(place);
  const key = random.pick(keys.length === 0 ? ODD_KEYS : keys);
  mutatePlace(random, { places, place, key, value: Object.hasOwn(place, key) ? place[key] : undefined });
  return document;
}

/** A copy, since what is put into a document may be changed there. */
function oddValue(random: Random): unknown {
  return structuredClone(random.pick(ODD_VALUES));
}

interface Target {
  /** The document and every object and list in it. */
  readonly places: readonly JsonObject[];
  readonly place: JsonObject;
  readonly key: string;
  readonly value: unknown;
}

function mutatePlace(random: Random, { places, place, key, value }: Target): void {
  switch (random.below(7)) {
    case 0:
      Reflect.deleteProperty(place, key);
      break;
    case 1:
      define(place, random.pick(ODD_KEYS), oddValue(random));
      break;
    case 2: // the same key in another case, with a value of its own
      define(place, random.chance(50) ? key.toUpperCase() : key.toLowerCase(), oddValue(random));
      break;
    case 3:
      define(place, random.pick(ODD_KEYS), value);
      break;
    case 4:
      define(place, key, [value, value]);
      break;
    case 5: // something from elsewhere in the document
      define(place, key, structuredClone(random.pick(places)));
      break;
    default:
      define(place, key, oddValue(random));
  }
}

/** Bytes changed, lost, doubled or put in; the outcome is seldom JSON or even UTF-8. */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1);
  const length = random.below(12);
  const part = (from: number, to?: number): number[] => [...bytes.subarray(from, to)];
  switch (random.below(6)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Uint8Array.from([...part(0, at), random.below(256), ...part(at + 1)]);
    case 2:
      return Uint8Array.from([...part(0, at), ...part(at + length)]);
    case 3:
      return Uint8Array.from([...part(0, at), ...part(at, at + length), ...part(at)]);
    case 4:
      return Uint8Array.from([...part(0, at), ...Array.from({ length }, () => random.below(256)), ...part(at)]);
    default:
      return Buffer.concat([
        random.pick([Buffer.from("\uFEFF"), Buffer.from("[".repeat(5_000)), Buffer.from(" \n"), Buffer.from([0])]),
        bytes,
      ]);
  }
}

/** A text changed in one place, or replaced. */
export function mutateText(random: Random, text: string): string {
  if (random.chance(40)) return random.pick(ODD_VALUES.filter((value) => typeof value === "string"));
  const at = random.below(text.length + 1);
  const piece = random.pick(["", ";", "=", ";;", "\\", "/", "..", " ", "\n", '"', "é", "%", "IP=10.244.3.77", "MAC=0"]);
  return text.slice(0, at) + piece + text.slice(at + random.below(3));
}

/** Own property whatever its name: an assignment to __proto__ would set the prototype. */
function define(place: JsonObject, key: string, value: unknown): void {
  Object.defineProperty(place, key, { value, enumerable: true, configurable: true, writable: true });
}

/** The document and every object and list in it. */
function listObjects(value: unknown): JsonObject[] {
  if (typeof value !== "object" || value === null) return [];
  return [value as JsonObject, ...Object.values(value).flatMap(listObjects)];
}
