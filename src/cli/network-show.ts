import { canonicaliseKeys } from "../core/config/canonical-keys.ts";
import { findNetworkFaults } from "../core/config/normalise.ts";
import { findDifferences } from "../core/engine/compare-network.ts";
import { describeChange, type NetworkChange } from "../core/engine/network-place.ts";
import { parseNetwork } from "../core/hcn/documents.ts";
import type { DnsView, NetworkDetail, PolicyView } from "../core/hcn/documents-detail.ts";
import { toDocument } from "../core/topology/document.ts";
import type { TopologyEndpoint, TopologyNetwork } from "../core/topology/model.ts";
import { cleanText, countPolicies, fitText, formatPlace, formatRoute, shortenIds } from "../core/topology/text.ts";
import { type ConfPart, parseConfFile, readConfig } from "./config-file.ts";
import { type NodeArguments, readPlaceChanges, readTopology } from "./node-topology.ts";
import { showCell, writeDocument, writeTable } from "./output.ts";
import { findNetworks } from "./topology.ts";
import { CliError, type CliWorld, type ExitCode, readInput } from "./world.ts";

/** Longer names of endpoints are cut; the other forms have them whole. */
const NAME_COLUMNS = 60;

export interface ShowArguments extends NodeArguments {
  /** A name or an id. */
  readonly name: string;
  /** A configuration to compare with. */
  readonly conf: string | undefined;
  readonly output: "text" | "wide" | "json" | "yaml";
}

/** Exit code 1 when the network differs from the configuration. Throws what HNS throws; CliError for what cannot be found or compared. */
export async function showNetwork(world: CliWorld, { name, conf, output, ...node }: ShowArguments): Promise<ExitCode> {
  const wanted = conf === undefined ? undefined : readWanted(world, conf);
  const { documents, topology } = await readTopology(world, node);
  const network = findOne(findNetworks(topology, name), name);
  const document = documents.networks.find((one) => parseNetwork(one).id === network.id);
  const differences = wanted === undefined ? undefined : findDifferences(pickConfig(wanted, network), parseNetwork(document));
  const changes = (await readPlaceChanges(world, node, [network])).get(network.id) ?? [];
  const shown = { network, document, differences, changes };
  if (output === "json" || output === "yaml") writeDocument(world, toDocument(shown), output);
  else writeText(world, shown, { isWide: output === "wide", file: wanted?.file });
  return (differences ?? []).length === 0 ? 0 : 1;
}

interface Shown {
  readonly network: TopologyNetwork;
  /** As HNS wrote it. */
  readonly document: unknown;
  readonly differences: readonly string[] | undefined;
  readonly changes: readonly NetworkChange[];
}

function writeText(
  world: CliWorld,
  { network, document, differences, changes }: Shown,
  { isWide, file }: { isWide: boolean; file: string | undefined },
): void {
  writeNetwork(world, network, isWide);
  for (const change of changes) world.writeOut(`\n${cleanText(`changed: ${describeChange(change)}; ${change.remedy}`)}\n`);
  if (isWide) world.writeOut(`\nHNS document\n${indent(JSON.stringify(document, null, 2))}`);
  if (file !== undefined) writeDifferences(world, file, differences ?? []);
}

function findOne(found: readonly TopologyNetwork[], name: string): TopologyNetwork {
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  const next = `name one by its id: ${found.map(({ id }) => id).join(", ")}`;
  throw new CliError(`which network "${name}"`, { why: "HNS has several of this name", next });
}

/** What a configuration file wants. */
interface Wanted {
  readonly file: string;
  readonly parts: readonly ConfPart[];
}

/** yargs hands a lone "-" over as an empty text. */
function readWanted(world: CliWorld, conf: string): Wanted {
  const file = conf === "" ? "-" : conf;
  return { file, parts: parseConfFile(readInput(world, file), file).parts };
}

/** What the configuration of the network's name wants of it. Throws CliError when the file has none, or one with faults. */
function pickConfig({ file, parts }: Wanted, network: NetworkDetail): ReturnType<typeof readConfig>["config"] {
  const part = parts.find(({ config }) => canonicaliseKeys(config, [])["name"] === network.name);
  if (part === undefined) {
    const why = `it has no configuration of this plugin with the name "${network.name}"`;
    throw new CliError(`${file} cannot be compared`, { why, next: "name the file that makes this network" });
  }
  if (findNetworkFaults(canonicaliseKeys(part.config, [])).length > 0) {
    throw new CliError(`${file} cannot be used`, { why: "it has faults", next: `hns-cni config validate ${file} says more` });
  }
  return readConfig(part.config).config;
}

function writeNetwork(world: CliWorld, network: TopologyNetwork, isWide: boolean): void {
  const { name, subnets, policies, endpoints } = network;
  world.writeOut(`${showCell(name)}\n`);
  for (const [key, value] of describeFacts(network)) world.writeOut(`  ${key.padEnd(13)}${showCell(value)}\n`);
  section(world, "subnets", subnets.length);
  for (const subnet of subnets) {
    world.writeOut(
      `  ${cleanText(subnet.prefix)}  ${subnet.gateway === undefined ? "no gateway" : `gateway ${cleanText(subnet.gateway)}`}\n`,
    );
    writePolicies(world, subnet.policies, "    ");
  }
  section(world, "policies", policies.length);
  writePolicies(world, policies, "  ");
  section(world, "endpoints", endpoints.length);
  if (endpoints.length === 0) return;
  const titles = ["name", "addresses", "mac", "attached to", "owner", ...(isWide ? ["id", "policies", "routes"] : [])];
  writeTable(
    world,
    titles,
    endpoints.map((endpoint) => describeEndpoint(endpoint, isWide)),
    "  ",
  );
}

function section(world: CliWorld, title: string, count: number): void {
  world.writeOut(`\n${title}${count === 0 ? ": none" : ""}\n`);
}

function describeFacts({ id, owner, type, adapter, flags, macRanges, dns }: TopologyNetwork): [string, string][] {
  return [
    ["id", id],
    ["owner", owner],
    ["type", type],
    ["adapter", adapter ?? "none told"],
    ["flags", decodeFlags(flags)],
    ["MAC range", macRanges.map(({ first, last }) => `${first} to ${last}`).join(", ") || "none told"],
    ["DNS", describeDns(dns)],
  ];
}

/** Source: the network flags of the HCN schema. */
const FLAGS: readonly (readonly [number, string])[] = [
  [8, "EnableNonPersistent"],
  [1024, "DisableHostPort"],
  [8192, "EnableIov"],
];

function decodeFlags(flags: number): string {
  const known = FLAGS.filter(([bit]) => (flags & bit) !== 0);
  const rest = known.reduce((left, [bit]) => left & ~bit, flags);
  const names = [...known.map(([, name]) => name), ...(rest === 0 ? [] : [String(rest)])];
  return names.length === 0 ? "0" : `${flags}: ${names.join(", ")}`;
}

function describeDns({ domain, search, servers, options }: DnsView): string {
  const parts = [
    ...(servers.length === 0 ? [] : [`servers ${servers.join(", ")}`]),
    ...(domain === undefined ? [] : [`domain ${domain}`]),
    ...(search.length === 0 ? [] : [`search ${search.join(", ")}`]),
    ...(options.length === 0 ? [] : [`options ${options.join(", ")}`]),
  ];
  return parts.join("; ") || "the node's own";
}

function writePolicies(world: CliWorld, policies: readonly PolicyView[], margin: string): void {
  for (const { type, settings } of policies) world.writeOut(`${margin}${showCell(`${type}  ${JSON.stringify(settings)}`)}\n`);
}

function describeEndpoint(endpoint: TopologyEndpoint, isWide: boolean): string[] {
  const { id, name, addresses, mac, owner, policies, routes } = endpoint;
  const cells = [
    isWide ? name : fitText(shortenIds(cleanText(name)), NAME_COLUMNS),
    addresses.join(" "),
    mac ?? "",
    formatPlace(endpoint),
    owner,
  ];
  return [...cells, ...(isWide ? [id, countPolicies(policies), routes.map(formatRoute).join(", ")] : [])].map(showCell);
}

function writeDifferences(world: CliWorld, file: string, differences: readonly string[]): void {
  if (differences.length === 0) {
    world.writeOut(`\nas ${file} wants it\n`);
    return;
  }
  world.writeOut(`\ndiffers from ${file}\n`);
  for (const difference of differences) world.writeOut(`  ${cleanText(difference)}\n`);
  world.writeOut("  change the configuration to match, choose another name, or remove the network when no pod uses it\n");
}

function indent(text: string): string {
  return `${text.replaceAll(/^/gm, "  ")}\n`;
}
