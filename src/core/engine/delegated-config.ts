import { PluginError } from "../base/errors.ts";
import {
  addressAt,
  type Cidr,
  cidrSize,
  containsIp,
  findAddressWithPrefix,
  findIp,
  formatCidr,
  formatIp,
  type IpAddress,
  networkOf,
  offsetIn,
} from "../base/ip.ts";
import type { CniResult } from "../cni/result.ts";
import type { DelegatedConfig, DnsConfig, PluginConfig, PodAddress, PodRoute, PoolConfig } from "../config/plugin-config.ts";
import { getDatapath } from "../datapath/datapaths.ts";

/** Windows keeps four addresses of the HNS network's subnet, so a smaller one has none left. */
const LEAST_SIZE = 8;

/** Addresses of another IPAM plugin, with the configuration as it is now that the ranges are known. */
export interface Resolved {
  readonly config: PluginConfig;
  /** At most one of each family. */
  readonly addresses: readonly IpAddress[];
}

interface Given extends PodAddress {
  readonly gateway: IpAddress | undefined;
}

/**
 * Puts what another IPAM plugin answered into the configuration. Throws INVALID_CONFIG when a pod cannot have what it gave: no address, two
 * of one family, one that Windows or the gateway needs, or one outside of `subnet`.
 */
export function resolveDelegated(config: DelegatedConfig, result: CniResult): Resolved {
  const { type } = config.delegate;
  const given = readAddresses(type, result);
  const [first, ...rest] = given.map((entry) => findRange(config, entry));
  if (first === undefined) throw refused(type, "no address", "give it a range");
  const network = withPools(config, [first, ...rest]);
  for (const { address } of given) refuseTaken(network, type, address);
  const routes = readRoutes(type, result, (family) => findFallback(network, given, family));
  const delegated = { addresses: given.map(({ address, prefix }) => ({ address, prefix })), routes };
  const dns = mergeDns(config.dns, result.dns);
  return { addresses: given.map(({ address }) => address), config: { ...network, dns, delegated } };
}

/** The configuration for subnets that are known. */
export function configForSubnets(config: DelegatedConfig, subnets: readonly [Cidr, ...Cidr[]]): PluginConfig {
  const [first, ...rest] = subnets;
  return withPools(config, [{ cidr: first }, ...rest.map((cidr) => ({ cidr }))]);
}

interface Range {
  readonly cidr: Cidr;
  readonly gateway?: IpAddress | undefined;
}

function withPools(config: DelegatedConfig, [first, ...rest]: readonly [Range, ...Range[]]): PluginConfig {
  const pool = ({ cidr, gateway }: Range): PoolConfig => ({ cidr, blockSize: cidr.prefix, gateway: gateway ?? addressAt(cidr, 1) });
  const unused = { cooldownMs: 0, waitMs: 0, reuseFloorMs: 0 }; // there is no pool of ours
  return { ...config, ipam: { pools: [pool(first), ...rest.map(pool)], ...unused } };
}

function readAddresses(type: string, result: CniResult): Given[] {
  const given = result.ips.map(({ address: text, gateway }) => {
    const parsed = findAddressWithPrefix(text);
    if (parsed === undefined) throw refused(type, `the address ${text}`, "see that plugin's own log");
    const all = parsed.address.family === 4 ? "0.0.0.0/0" : "::/0";
    const route = result.routes.find(({ dst, gw }) => dst === all && gw !== undefined);
    return { ...parsed, gateway: findIp(gateway ?? route?.gw ?? "") };
  });
  const families = given.map(({ address }) => address.family);
  const all = result.ips.map((ip) => ip.address).join(", ");
  if (families.length > 0 && !families.includes(4)) {
    throw refused(type, `IPv6 alone (${all}), and Windows has no such pods`, "give it an IPv4 range too");
  }
  if (new Set(families).size === families.length) return given;
  throw refused(type, `several addresses of one family (${all})`, "give it one range a family");
}

/** The subnet of the HNS network that an address belongs to. */
function findRange({ delegate, gatewayMode }: DelegatedConfig, { address, prefix, gateway }: Given): Range {
  const { type, subnets } = delegate;
  const cidr = subnets.find((subnet) => subnet.address.family === address.family) ?? networkOf(address, prefix);
  if (!containsIp(cidr, address)) throw refused(type, `${formatIp(address)}, outside of subnet ${formatCidr(cidr)}`, "make both agree");
  if (cidrSize(cidr) < LEAST_SIZE)
    throw refused(type, `${formatIp(address)}/${prefix}, a network too small for HNS`, "set subnet to the pods' network");
  if (gatewayMode === "ipam" && gateway === undefined) {
    throw refused(type, "no gateway, and gatewayMode is ipam", "give that plugin a gateway, or set another gatewayMode");
  }
  return { cidr, gateway };
}

/** The pod must not have an address that something else has: HNS, the gateway, or the whole network. */
function refuseTaken(config: PluginConfig, type: string, address: IpAddress): void {
  const datapath = getDatapath(config);
  const isSame = (other: IpAddress | undefined): boolean => other !== undefined && formatIp(other) === formatIp(address);
  const isGateway = isSame(datapath.podGateway(config, address));
  const isHns = isSame(datapath.networkGateway(config, address));
  const cidr = config.ipam.pools.find((pool) => containsIp(pool.cidr, address))?.cidr ?? config.ipam.pools[0].cidr;
  if (!isGateway && !isHns && !isEdge(cidr, address)) return;
  const whose = isHns ? "which HNS keeps for itself" : isGateway ? "which is the pods' gateway" : "which is no address for a pod";
  const start = formatIp(addressAt(cidr, 3));
  throw refused(type, `${formatIp(address)}, ${whose}`, `keep it out of that plugin's range, for host-local by "rangeStart": "${start}"`);
}

/** The network's own address, and with IPv4 the one that means all of it. */
function isEdge(cidr: Cidr, address: IpAddress): boolean {
  const offset = offsetIn(cidr, address);
  return offset === 0 || (address.family === 4 && offset === cidrSize(cidr) - 1);
}

/** Through which a route goes that names no gateway. */
function findFallback(config: PluginConfig, given: readonly Given[], family: number): IpAddress | undefined {
  const own = given.find(({ address }) => address.family === family);
  return own === undefined ? undefined : (getDatapath(config).podGateway(config, own.address) ?? own.gateway);
}

/** Every route but the default ones, which gatewayMode decides. */
function readRoutes(type: string, result: CniResult, findGateway: (family: number) => IpAddress | undefined): PodRoute[] {
  return result.routes.flatMap(({ dst, gw }) => {
    const parsed = findAddressWithPrefix(dst);
    if (parsed === undefined || parsed.prefix === 0) return [];
    const { family } = parsed.address;
    const nextHop = gw === undefined ? findGateway(family) : findIp(gw);
    if (nextHop?.family !== family) {
      const what = `the route ${dst}${gw === undefined ? " without a gateway" : ` through ${gw}`}`;
      throw refused(type, what, "give it routes with gateways of their family");
    }
    return [{ destination: networkOf(parsed.address, parsed.prefix), nextHop }];
  });
}

/** Our configuration's settings, and the IPAM plugin's where it has none. */
function mergeDns(own: DnsConfig, other: CniResult["dns"]): DnsConfig {
  const choose = (left: readonly string[], right: readonly string[]): readonly string[] => (left.length > 0 ? left : right);
  const domain = own.domain ?? other.domain;
  return {
    nameservers: choose(own.nameservers, other.nameservers),
    ...(domain !== undefined && { domain }),
    search: choose(own.search, other.search),
    options: choose(own.options, other.options),
  };
}

function refused(type: string, what: string, remedy: string): PluginError {
  return new PluginError("INVALID_CONFIG", { message: `the IPAM plugin "${type}" (ipam.type) gave ${what}`, remedy, field: "ipam.type" });
}
