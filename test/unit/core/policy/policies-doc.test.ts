/** The tables of docs/policies.md are those of the code. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ACL_PRIORITY } from "../../../../src/core/policy/acl.ts";
import { type PolicyOwner, policyTypes } from "../../../../src/core/policy/raw-policy-types.ts";
import { filterUnsupported } from "../../../../src/core/policy/unsupported.ts";

const text = readFileSync(join(process.cwd(), "docs/policies.md"), "utf8");

interface Row {
  readonly type: string;
  readonly fields: string[];
  readonly since: string[];
  readonly without: string;
}

/** The rows of the table under `before`, up to the next empty line. */
function readTable(before: string): Row[] {
  const part = text.slice(text.indexOf(before)).split("| --- | --- | --- | --- |\n")[1]?.split("\n\n")[0] ?? "";
  return part.split("\n").map((line) => {
    const [type = "", fields = "", since = "", without = ""] = line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    return { type: type.replaceAll("`", ""), fields: fields.match(/\w+`\*?/g) ?? [], since: since.match(/\d+\.\d+/g) ?? [], without };
  });
}

const TABLES: readonly [PolicyOwner, string][] = [
  ["endpoint", "## Endpoint policies"],
  ["network", "## Network and subnet policies"],
  ["subnet", "A subnet of a network has:"],
];

/** 9.2, the first version with this interface, and all that may follow. */
const VERSIONS = Array.from({ length: 8 * 13 }, (_, index) => ({ major: 9 + Math.floor(index / 13), minor: index % 13 })).slice(2);

/** The versions at which a policy begins to be sent, and what becomes of it before. */
function probe(Type: string): { since: string[]; without: string } {
  const results = VERSIONS.map((version) => filterUnsupported([{ Type, Settings: {} }], { version, isolation: "process" }));
  const isKept = results.map(({ policies }) => policies.length === 1);
  const since = VERSIONS.filter((_, index) => isKept[index] === true && isKept[index - 1] !== true);
  const refused = results.some(({ faults }) => faults.length > 0);
  const omitted = results.some(({ warnings }) => warnings.length > 0);
  return { since: since.map(({ major, minor }) => `${major}.${minor}`), without: refused ? "refused" : omitted ? "omitted" : "" };
}

describe.each(TABLES)("policies of the %s", (owner, before) => {
  const rows = readTable(before);

  test("are all there, with their fields, the needed ones marked", () => {
    const expected = Object.entries(policyTypes(owner)).map(([type, { fields }]) => ({
      type,
      fields: Object.entries(fields).map(([name, { required }]) => `${name}\`${required === true ? "*" : ""}`),
    }));
    const byType = (left: { type: string }, right: { type: string }): number => (left.type < right.type ? -1 : 1);
    expect(rows.map(({ type, fields }) => ({ type, fields })).sort(byType)).toEqual(expected.sort(byType));
  });

  test("are sent from the versions it tells on", () => {
    // A subnet's came with the interface, also VLAN, which endpoints have later.
    const expected = (type: string): object => (owner === "subnet" ? { since: ["9.2"], without: "" } : probe(type));
    for (const { type, since, without } of rows) expect({ type, since, without }).toEqual({ type, ...expected(type) });
  });
});

test("the bands of priorities are those of the code", () => {
  const { guard, node, portMapping, policyFirst, policyLast, defaultDeny, tail } = ACL_PRIORITY;
  const first = [`${guard} to 899`, node, portMapping, `${policyFirst} to ${policyLast}`, defaultDeny, tail];
  for (const band of first) expect(text).toContain(`| ${band} |`);
});
