/** Whatever the source: a conversion never throws, and nothing of the source is lost without a word. */
import fc from "fast-check";
import { isJsonObject, type JsonObject } from "../../../../../src/core/cni/json.ts";
import { type Conversion, FOREIGN_PLUGINS } from "../../../../../src/core/config/foreign/convert.ts";
import { convert } from "./kit.ts";

const TYPES = FOREIGN_PLUGINS.flatMap(({ types }) => types);

/** Every key that any table knows, so that random objects meet the rules. */
const KEYS = [
  ...new Set(FOREIGN_PLUGINS.flatMap(({ keys }) => Object.entries(keys).flatMap(([key, rule]) => [key, ...Object.keys(rule.keys ?? {})]))),
  ...[
    "Name",
    "value",
    "Type",
    "Settings",
    "ExceptionList",
    "DestinationPrefix",
    "NeedEncap",
    "subnet",
    "routes",
    "gw",
    "dst",
    "ranges",
    "rangeStart",
  ],
];

const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    "EndpointPolicy",
    "OutBoundNAT",
    "ROUTE",
    "SDNRoute",
    "ACL",
    "10.1.2.0/24",
    "10.1.2.7",
    "host-local",
    "",
    "win-overlay",
    "vxlan",
  ),
  fc.constantFrom<unknown>(true, false, null, 0, 7),
  fc.jsonValue(),
);

const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string()), tie("value"), { maxKeys: 5, noNullPrototype: true }),
  ),
})).value;

const plugin = fc
  .tuple(fc.constantFrom(...TYPES), fc.dictionary(fc.constantFrom(...KEYS), json, { maxKeys: 10, noNullPrototype: true }))
  .map(([type, rest]): JsonObject => ({ ...rest, type }));

const source = fc.oneof(
  plugin,
  fc.record({ name: fc.constant("n"), plugins: fc.array(fc.oneof(plugin, json), { maxLength: 3 }) }).map((list): JsonObject => list),
);

const options = fc.record(
  { ipam: fc.constantFrom("keep", "ours"), cidr: fc.constantFrom("10.9.1.0/24") },
  { requiredKeys: ["ipam"] },
) as fc.Arbitrary<{ ipam: "keep" | "ours"; cidr?: string }>;

/** The places of a document that hold something: scalars, and objects and lists with nothing inside. */
function listLeaves(value: unknown, path: string): { path: string; value: unknown }[] {
  const entries = Array.isArray(value)
    ? value.map((item: unknown, index): [string, unknown] => [`${path}[${index}]`, item])
    : isJsonObject(value)
      ? Object.entries(value).map(([key, item]): [string, unknown] => [path === "" ? key : `${path}.${key}`, item])
      : [];
  return entries.length === 0 ? [{ path, value }] : entries.flatMap(([at, item]) => listLeaves(item, at));
}

const isWithin = (path: string, outer: string): boolean =>
  path === outer || (outer !== "" && path.startsWith(outer) && [".", "["].includes(path.charAt(outer.length)));

/** What a fault speaks for: its object, and of `ipam` the whole section, which is not read any further. */
function findSpoken(fault: string): string {
  const path = fault.toLowerCase();
  const ipam = /^((plugins\[\d+\]\.)?ipam)\b/.exec(path)?.[1];
  const parent = path.slice(0, Math.max(path.lastIndexOf("."), path.lastIndexOf("["), 0));
  return ipam ?? (parent === "" || /^plugins(\[\d+\])?$/.test(parent) ? path : parent);
}

/** Leaves that no note and no fault speaks of; what was kept or renamed must really be in the result. */
function findLost(document: JsonObject, { notes, faults, document: result }: Conversion): string[] {
  const present = new Set(listLeaves(result, "").map((leaf) => JSON.stringify(leaf.value)));
  return listLeaves(document, "").flatMap(({ path, value }) => {
    if (faults.some((fault) => isWithin(path.toLowerCase(), findSpoken(fault.path)) || isWithin(fault.path, path))) return [];
    const told = notes.filter((note) => isWithin(path, note.path));
    const isMoved = told.some(({ verdict }) => verdict === "kept" || verdict === "renamed");
    const isSpoken = told.some(({ verdict }) => verdict === "dropped" || verdict === "decide" || verdict === "translated");
    if (isSpoken || (isMoved && (faults.length > 0 || value === null || present.has(JSON.stringify(value))))) return [];
    return [path];
  });
}

it("loses nothing of any source without a word, and changes nothing of it", () => {
  fc.assert(
    fc.property(source, options, (document, chosen) => {
      const before = JSON.stringify(document);
      const conversion = convert(document, chosen);
      expect(JSON.stringify(document)).toBe(before);
      const isKnown = conversion.faults.every(({ problem }) => !problem.startsWith("names no plugin"));
      if (isKnown) expect(findLost(document, conversion)).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
});

it("takes any JSON object without throwing, and anything that a JSON parser makes keys of", () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }), (document) => void convert(document)));
  const text = '{"type":"win-bridge","__proto__":{"a":1},"constructor":2,"ipam":{"type":"x","__proto__":{"b":1}}}';
  const conversion = convert(JSON.parse(text) as JsonObject);
  expect(conversion.notes.filter(({ path }) => ["__proto__", "constructor"].includes(path)).map(({ verdict }) => verdict)).toEqual([
    "dropped",
    "dropped",
  ]);
  expect(JSON.stringify(conversion.document)).toContain('{"type":"x","__proto__":{"b":1}}');
});
