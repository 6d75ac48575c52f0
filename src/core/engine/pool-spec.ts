import { PluginError } from "../base/errors.ts";
import { containsIp, formatCidr, formatIp, offsetIn } from "../base/ip.ts";
import { selectPools } from "../config/pool-choice.ts";
import type { PluginConfig, PoolConfig, WantedAddress } from "../config/plugin-config.ts";
import type { PoolSpec } from "../ipam/pool.ts";
import type { AddressSet } from "../ipam/assign.ts";
import { isReserved, windowsOffsets } from "../ipam/blocks.ts";

/**
 * One pool of a network. Windows does not let a pod have the network address, the gateway of the HNS network (.1), the host endpoint (.2)
 * and the broadcast address; a gateway of the configuration's own is kept back too.
 */
export function poolSpec(config: PluginConfig, pool: PoolConfig = config.ipam.pools[0]): PoolSpec {
  const { cooldownMs, warm } = config.ipam;
  const { cidr, blockSize, gateway, keptBack, isReservedPerBlock, isForOthers, field, part = "" } = pool;
  const own = offsetIn(cidr, gateway);
  const windows = isForOthers === true ? [] : windowsOffsets(cidr);
  const reserved = new Set([...windows, ...(own === undefined ? [] : [own])]);
  return {
    id: `${config.networkName}/${formatCidr(cidr)}${part}`,
    cidr,
    blockPrefix: blockSize,
    reserved: [...reserved],
    ...(keptBack === undefined ? {} : { keptBack }),
    ...(isReservedPerBlock === undefined ? {} : { isReservedPerBlock }),
    ...(warm === undefined ? {} : { warm }),
    ...(field === undefined ? {} : { field }),
    cooldownMs,
  };
}

export function poolSpecs(config: PluginConfig): PoolSpec[] {
  return config.ipam.pools.map((pool) => poolSpec(config, pool));
}

/**
 * The addresses that the pod of this call is to get. Throws INVALID_CONFIG when no pool is for it, and for an address it asks for that no
 * pod can have, or not beside the others.
 */
export function addressSets(config: PluginConfig): AddressSet[] {
  const { pod, addresses = [] } = config.request ?? {};
  const sets = selectPools(config.ipam.pools, pod?.namespace).map((pools) => ({ pools: pools.map((pool) => poolSpec(config, pool)) }));
  return addresses.reduce<AddressSet[]>(placeWanted, sets);
}

/** The sets with one of them bound to the address. */
function placeWanted(sets: readonly AddressSet[], wanted: WantedAddress): AddressSet[] {
  const { address } = wanted;
  const text = formatIp(address);
  const places = sets.flatMap((set, at) => set.pools.filter(({ cidr }) => containsIp(cidr, address)).map((spec) => ({ at, spec })));
  if (places.length === 0) throw refused(wanted, `lies in no pool of the pod: ${describe(sets)}`);
  const usable = places.filter(({ spec }) => !isReserved(spec, text));
  if (usable.length === 0) throw refused(wanted, "is kept back from pods");
  const place = usable.find(({ at }) => sets[at]?.wanted === undefined);
  if (place === undefined) throw refused(wanted, `is one too many: the pod gets one address of ${describe(sets)}`);
  return sets.map((set, at) => (at === place.at ? { pools: [place.spec], wanted: text } : set));
}

function describe(sets: readonly AddressSet[]): string {
  return sets.map(({ pools }) => pools.map(({ cidr }) => formatCidr(cidr)).join(" or ")).join(", ");
}

function refused({ address, from }: WantedAddress, problem: string): PluginError {
  const message = `${from} asks for ${formatIp(address)}, which ${problem}`;
  return new PluginError("INVALID_CONFIG", { message, remedy: "ask for a free address of a pool, or for none", field: from });
}
