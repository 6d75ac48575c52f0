import { sameGuid } from "../../../src/core/base/ids.ts";
import { checksum } from "../../../src/host/state/columns.ts";

type Row = Readonly<Record<string, unknown>>;

/** An endpoint that HNS has. */
export interface HeldEndpoint {
  readonly id: string;
  readonly name: string;
  readonly networkName: string;
  /** Without prefix. */
  readonly addresses: readonly string[];
}

const TABLES = ["attachments", "leases", "pools", "blocks", "addresses", "networks"];

/** What is wrong with a node's state, or between it and HNS, while no call is under way. */
export function findStateProblems(query: (sql: string) => readonly Row[], endpoints: readonly HeldEndpoint[]): string[] {
  const rows = new Map(TABLES.map((table) => [table, query(`SELECT * FROM ${table}`)]));
  const check = query("PRAGMA integrity_check").map((row) => String(row["integrity_check"]));
  const attachments = rows.get("attachments") ?? [];
  const held = (rows.get("addresses") ?? []).filter((row) => row["state"] === "assigned" || row["state"] === "quarantined");
  return [
    ...(check.join() === "ok" ? [] : [`the database is damaged: ${check.join("; ")}`]),
    ...[...rows].flatMap(([table, list]) => list.flatMap((row) => findDamage(table, row))),
    ...(rows.get("leases") ?? []).map((row) => `a lease is left: ${String(row["attachment"])}`),
    ...findSharedAddresses(held),
    ...endpoints
      .filter(({ name, networkName }) => name !== `${networkName}_ep`)
      .flatMap((one) => findEndpointProblems(one, held, attachments)),
  ];
}

/** What is known of an owner counts for the checksum of an address only where there is something. */
const OF_OWNERS = ["container", "ifname", "pod", "pod_uid", "sticky"];

function findDamage(table: string, row: Row): string[] {
  const { sum, ...others } = row;
  const isBare = table === "addresses" && row["container"] === null;
  const entries = Object.entries(others).filter(([column]) => !isBare || !OF_OWNERS.includes(column));
  return sum === checksum(entries.map(([, value]) => value)) ? [] : [`a row of ${table} is damaged: ${JSON.stringify(row)}`];
}

/** One address of a network, whatever the pool, has one owner. */
function findSharedAddresses(held: readonly Row[]): string[] {
  const owners = new Map<string, Set<unknown>>();
  for (const { pool, address, owner } of held) {
    const key = `${networkOf(pool)} ${String(address)}`;
    owners.set(key, (owners.get(key) ?? new Set()).add(owner));
  }
  return [...owners].filter(([, of]) => of.size > 1).map(([key, of]) => `${key} has ${of.size} owners`);
}

/** The state says of every address that HNS uses that it is taken, and by the attachment of that endpoint. */
function findEndpointProblems(
  { id, name, networkName, addresses }: HeldEndpoint,
  held: readonly Row[],
  attachments: readonly Row[],
): string[] {
  const attachment = attachments.find((row) => sameGuid(String(row["endpoint"]), id));
  if (attachment === undefined) return [`nobody knows the endpoint ${name}`];
  return addresses.flatMap((address) => {
    const row = held.find((one) => one["address"] === address && networkOf(one["pool"]) === networkName);
    if (row === undefined) return [`${address} of ${name} counts as free`];
    return row["owner"] === attachment["id"] ? [] : [`${address} of ${name} counts as owned by another`];
  });
}

function networkOf(pool: unknown): string {
  return String(pool).split("/")[0] ?? "";
}
