import { PluginError } from "../base/errors.ts";
import { containsIp, findIp, formatIp } from "../base/ip.ts";
import { type CniResult, EMPTY_DNS } from "../cni/result.ts";
import type { IpamRoleConfig } from "../config/ipam-role.ts";
import type { HostConfig } from "../config/plugin-config.ts";
import { releaseOwned } from "../ipam/allocator.ts";
import { keepOwned } from "../ipam/assign.ts";
import { parseResolvConf } from "../ipam/resolv-conf.ts";
import { AddressLine } from "./address-line.ts";
import { type AttachmentKey, attachmentId } from "./attachment.ts";
import type { Operation } from "./operation.ts";
import { addressSets, poolSpec, poolSpecs } from "./pool-spec.ts";
import { requireFreeAddress } from "./status.ts";

/**
 * The commands of the IPAM interface, for networks that another plugin makes. They work on the state alone and never touch HNS. An
 * owner has no attachment row: the endpoint is the other plugin's business, and its address rests after DEL like any other.
 */

/** ADD. Gives the owner its addresses, or those it has: a repeat gives the same. Waits when none is free. Throws ADDRESS_EXHAUSTED. */
export async function reserveAddress(
  operation: Operation<IpamRoleConfig>,
  key: AttachmentKey,
  readText: (path: string) => string,
): Promise<CniResult> {
  const { store, config, log, machine } = operation;
  const owner = attachmentId(key);
  const dns = config.resolvConf === undefined ? EMPTY_DNS : parseResolvConf(readText(config.resolvConf));
  const sets = addressSets(config);
  const line = new AddressLine(operation, { ...key, id: owner });
  const start = store.transaction((tx) => {
    const kept = keepOwned(tx, machine.clock, owner, sets);
    const missing = sets.filter((_, at) => kept[at] === undefined);
    return { kept, missing, taken: missing.length === 0 ? [] : line.tryTake(tx, missing) };
  });
  const taken = [...(start.taken ?? (await line.wait(start.missing)))];
  const places = sets.flatMap((_, at) => start.kept[at] ?? taken.shift() ?? []);
  log.info("address reserved", { address: places.map(({ address }) => address).join() });
  return { interfaces: [], ips: places.map((place) => describe(config, place)), routes: config.routes, dns };
}

/** The address with its own pool's prefix length and gateway. */
function describe(config: IpamRoleConfig, { pool: id, address }: { pool: string; address: string }): CniResult["ips"][number] {
  const { cidr, gateway } = config.ipam.pools.find((pool) => poolSpec(config, pool).id === id) ?? config.ipam.pools[0];
  return { address: `${address}/${cidr.prefix}`, gateway: formatIp(gateway) };
}

/** DEL. Gives back what the owner has; succeeds when it has nothing. */
export async function returnAddress(operation: Operation<HostConfig>, key: AttachmentKey): Promise<void> {
  const { store, machine, log } = operation;
  const released = store.transaction((tx) => releaseOwned(tx, machine.clock, attachmentId(key)));
  log.info("address returned", { addresses: released });
}

/** CHECK. Throws CHECK_FAILED when the owner has no address of the pools, or prevResult lists one of theirs that the owner has not. */
export async function checkAddress(
  operation: Operation<IpamRoleConfig>,
  request: AttachmentKey & { readonly prevResult: CniResult | undefined },
): Promise<void> {
  const { store, config } = operation;
  const pools = poolSpecs(config).map(({ id }) => id);
  const owned = store.read((tx) => tx.listOwned(attachmentId(request)));
  const held = owned.filter((record) => pools.includes(record.pool) && record.state === "assigned").map((record) => record.address);
  if (held.length === 0)
    throw failed(`no address of ${pools.join(", ")} is reserved for the container ${request.containerId}, ${request.ifname}`);
  const missing = listAddresses(request.prevResult, config).filter((address) => !held.includes(address));
  if (missing.length > 0) throw failed(`prevResult has ${missing.join(", ")}, and reserved is ${held.join(", ")}`);
}

/** The addresses of a result that lie in the ranges of the pools. */
function listAddresses(result: CniResult | undefined, config: IpamRoleConfig): string[] {
  return (result?.ips ?? []).flatMap((ip) => {
    const address = findIp(ip.address.split("/")[0] ?? "");
    return address !== undefined && config.ipam.pools.some(({ cidr }) => containsIp(cidr, address)) ? [formatIp(address)] : [];
  });
}

/** GC. Gives back what owners have that are in no valid attachment of the network. */
export async function returnStaleAddresses(
  operation: Operation<HostConfig>,
  request: { readonly network: string; readonly valid: readonly Pick<AttachmentKey, "containerId" | "ifname">[] },
): Promise<void> {
  const { store, machine, log } = operation;
  const valid = new Set(request.valid.map((entry) => attachmentId({ network: request.network, ...entry })));
  const released = store.transaction((tx) => {
    const stale = tx.listOwnersWithoutAttachment(request.network).filter((owner) => !valid.has(owner));
    return stale.flatMap((owner) => releaseOwned(tx, machine.clock, owner));
  });
  log.info("addresses of absent containers returned", { addresses: released });
}

/** STATUS. Throws when the state cannot be read, or, where that is configured, when no address is left. */
export async function reportIpamStatus(operation: Operation<IpamRoleConfig>): Promise<void> {
  operation.store.read((tx) => poolSpecs(operation.config).map(({ id }) => tx.findPool(id)));
  if (operation.config.statusFailsOnExhaustion) requireFreeAddress(operation);
}

function failed(message: string): PluginError {
  return new PluginError("CHECK_FAILED", { message, remedy: "delete the pod so that it is attached anew" });
}
