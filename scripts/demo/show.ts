/** What the demonstration prints. */
import type { EmulatedEndpoint, EmulatedNamespace, EmulatedNetwork, EmulatorClient } from "../../test/emulator/client.ts";

export function say(text = ""): void {
  process.stdout.write(`${text}\n`);
}

export function heading(text: string): void {
  say(`\n── ${text} ${"─".repeat(Math.max(3, 100 - text.length))}`);
}

/** The state of HNS as three small tables. */
export async function showObjects(emulator: EmulatorClient): Promise<void> {
  const [networks, endpoints, namespaces] = await Promise.all([emulator.networks(), emulator.endpoints(), emulator.namespaces()]);
  say("\nHNS now holds:");
  showNetworks(networks);
  showEndpoints(endpoints);
  showNamespaces(namespaces);
}

function showNetworks(networks: readonly EmulatedNetwork[]): void {
  showTable(
    "networks",
    ["name", "type", "adapter", "subnets"],
    networks.map(({ name, type, adapter, subnets }) => [name, type, adapter ?? "-", subnets.join(" ")]),
  );
}

function showEndpoints(endpoints: readonly EmulatedEndpoint[]): void {
  const place = ({ namespace, hostCompartment }: EmulatedEndpoint): string => {
    if (namespace !== null) return `namespace ${brief(namespace)}`;
    return hostCompartment === null ? "nowhere" : "the node itself";
  };
  showTable(
    "endpoints",
    ["id", "name", "network", "addresses", "mac", "attached to"],
    endpoints.map((one) => [brief(one.id), brief(one.name), one.networkName, one.addresses.join(" "), one.mac, place(one)]),
  );
}

function showNamespaces(namespaces: readonly EmulatedNamespace[]): void {
  showTable(
    "namespaces",
    ["id", "compartment", "endpoints"],
    namespaces.map(({ id, compartment, endpoints }) => [brief(id), String(compartment), endpoints.map(brief).join(" ") || "-"]),
  );
}

/** Calls per export, the most frequent first. */
export function formatCounts(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).sort(([, left], [, right]) => right - left);
  const total = entries.reduce((sum, [, count]) => sum + count, 0);
  return `${total} calls to HNS: ${entries.map(([name, count]) => `${name} ${count}`).join(", ") || "none"}`;
}

function showTable(title: string, columns: readonly string[], rows: readonly (readonly string[])[]): void {
  if (rows.length === 0) {
    say(`  ${title}: none`);
    return;
  }
  const widths = columns.map((column, index) => Math.max(column.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const format = (cells: readonly string[]): string => cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("  ");
  say(`  ${title}`);
  for (const line of [columns, ...rows]) say(`    ${format(line).trimEnd()}`);
}

/** Ids and container names are long and random: their beginning, and whatever a name has behind the id. */
export function brief(text: string): string {
  return text.replace(/[0-9a-f]{64}/i, (id) => `${id.slice(0, 8)}…`).replace(/^([0-9a-f]{8})-[0-9a-f-]{27}$/i, "$1…");
}
