import { compareIp, findIp } from "../core/base/ip.ts";
import { buildPluginConfig, findFaults } from "../core/config/normalise.ts";
import { canonicaliseKeys } from "../core/config/canonical-keys.ts";
import { poolSpec } from "../core/engine/pool-spec.ts";
import type { StateTransaction } from "../core/engine/store.ts";
import { type BlockView, CELLS, type CellState, viewBlock } from "../core/ipam/block-map.ts";
import type { Subnet } from "../core/ipam/blocks.ts";
import { listConflicts } from "../core/ipam/conflicts.ts";
import type { AddressRecord } from "../core/ipam/store.ts";
import { parseConfFile } from "./config-file.ts";
import { isOfNetwork, networkOfPool, withState } from "./ipam-state.ts";
import { writeDocument, writeTable } from "./output.ts";
import { CliError, type CliWorld, type ExitCode, readInput } from "./world.ts";

export interface ShowArguments {
  readonly stateDir: string | undefined;
  readonly network: string | undefined;
  readonly conf: string | undefined;
  readonly output: "text" | "wide" | "json" | "yaml";
}

interface AddressView {
  readonly address: string;
  readonly state: string;
  readonly owner: string;
  /** The attachment of the owner, where it is known: container id and interface. */
  readonly container: string;
  readonly released: string;
}

interface PoolView {
  readonly pool: string;
  readonly cidr: string;
  readonly counts: Readonly<Record<CellState, number>>;
  readonly blocks: readonly BlockView[];
  readonly addresses: readonly AddressView[];
  /** Addresses that HNS refused as in use, which nobody gets until they are found free. */
  readonly conflicts: readonly { readonly address: string; readonly since: string }[];
}

/** Addresses of one line of the map. */
const LINE = 64;

export function showPools(world: CliWorld, { stateDir, network, conf, output }: ShowArguments): ExitCode {
  const subnets = conf === undefined ? new Map<string, Subnet>() : readSubnets(world, conf);
  const pools = withState(world, stateDir, (store) =>
    store.read((tx) =>
      tx
        .listPools()
        .filter(({ id }) => isOfNetwork(id, network))
        .map(({ id, cidr }) => viewPool(tx, { id, cidr, subnet: subnets.get(id) })),
    ),
  );
  if (output === "json" || output === "yaml") writeDocument(world, pools, output);
  else if (pools.length === 0) world.writeOut("no pools: no pod has asked for an address yet\n");
  else {
    for (const pool of pools) writePool(world, pool, output);
    const legend = Object.entries(CELLS).map(([state, cell]) => `${cell} ${state}`);
    world.writeOut(`${legend.join("   ")}\n`);
  }
  return 0;
}

/** What the configurations of a file say of their pools. Throws CliError for one with faults. */
function readSubnets(world: CliWorld, file: string): Map<string, Subnet> {
  const specs = parseConfFile(readInput(world, file), file).parts.map(({ config }) => {
    const document = canonicaliseKeys(config, []);
    const next = `hns-cni config validate ${file} says more`;
    if (findFaults(document).length > 0) throw new CliError(`${file} cannot be used`, { why: "it has faults", next });
    return poolSpec(buildPluginConfig(document));
  });
  return new Map(specs.map((spec) => [spec.id, spec]));
}

function viewPool(tx: StateTransaction, pool: { id: string; cidr: string; subnet: Subnet | undefined }): PoolView {
  const addresses = tx.listAddresses(pool.id);
  const byBlock = Map.groupBy(addresses, ({ block }) => block);
  const views = tx.listBlocks(pool.id).map((block) => viewBlock(block, byBlock.get(block.cidr) ?? [], pool.subnet));
  const blocks = views.filter((view) => view !== undefined);
  const counts = { free: 0, assigned: 0, cooling: 0, quarantined: 0, reserved: 0 };
  for (const state of Object.keys(counts) as CellState[]) {
    counts[state] = blocks.reduce((sum, block) => sum + block.counts[state], 0);
  }
  const conflicts = listConflicts(tx, pool.id).map(({ address, since }) => ({ address, since: new Date(since).toISOString() }));
  return { pool: pool.id, cidr: pool.cidr, counts, blocks, addresses: viewAddresses(tx, pool.id, addresses), conflicts };
}

function viewAddresses(tx: StateTransaction, pool: string, addresses: readonly AddressRecord[]): AddressView[] {
  const attachments = new Map(
    tx.listAttachments({ network: networkOfPool(pool) }).map((attachment) => [String(attachment.id), attachment]),
  );
  const held = addresses
    .filter(({ state }) => state !== "free")
    .flatMap((record) => {
      const ip = findIp(record.address);
      return ip === undefined ? [] : [{ record, ip }];
    });
  return held
    .sort((left, right) => compareIp(left.ip, right.ip))
    .map(({ record: { address, state, owner, released } }) => {
      const attachment = attachments.get(owner);
      const container = attachment === undefined ? "" : `${attachment.containerId} ${attachment.ifname}`;
      return { address, state, owner, container, released: released === undefined ? "" : new Date(released.wallMs).toISOString() };
    });
}

function writePool(world: CliWorld, { pool, blocks, counts, addresses, conflicts }: PoolView, output: "text" | "wide"): void {
  world.writeOut(`${pool}: ${blocks.length === 1 ? "1 block" : `${blocks.length} blocks`}, ${formatCounts(counts)}\n`);
  for (const block of blocks) {
    world.writeOut(`  ${block.cidr}  ${formatCounts(block.counts)}\n`);
    for (let at = 0; at < block.map.length; at += LINE) world.writeOut(`    ${block.map.slice(at, at + LINE)}\n`);
  }
  if (conflicts.length > 0) {
    const list = conflicts.map(({ address, since }) => `${address} since ${since}`).join(", ");
    world.writeOut(`  ${conflicts.length} refused by HNS as in use: ${list}\n`);
  }
  world.writeOut("\n");
  if (output === "text" || addresses.length === 0) return;
  const rows = addresses.map(({ address, state, owner, container, released }) => [address, state, owner, container, released]);
  writeTable(world, ["address", "state", "owner", "container", "released"], rows);
  world.writeOut("\n");
}

function formatCounts(counts: Readonly<Record<CellState, number>>): string {
  return (["free", "assigned", "cooling", "quarantined", "reserved"] as const).map((state) => `${counts[state]} ${state}`).join(", ");
}
