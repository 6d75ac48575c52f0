import { PluginError } from "../base/errors.ts";
import {
  addressAt,
  type Cidr,
  cidrSize,
  containsIp,
  findAddressWithPrefix,
  findCidr,
  findIp,
  formatCidr,
  formatIp,
  type IpAddress,
  networkOf,
  offsetIn,
} from "../base/ip.ts";
import type { CniResult } from "../cni/result.ts";
import type { DelegatedConfig, DnsConfig, PluginConfig, PodRoute } from "../config/plugin-config.ts";
import { networkGateway, podGateway } from "../datapath/l2bridge.ts";

/** Windows keeps four addresses of the HNS network's subnet, so one of more prefix bits has none left. */
const MAX_PREFIX = 29;

/** An address of another IPAM plugin, with the configuration as it is now that the range is known. */
export interface Resolved {
  readonly config: PluginConfig;
  readonly address: IpAddress;
}

/**
 * Puts what another IPAM plugin answered into the configuration. Throws INVALID_CONFIG when a pod cannot have what it gave: more or less
 * than one IPv4 address, one that Windows or the gateway needs, or one outside of `subnet`.
 */
export function resolveDelegated(config: DelegatedConfig, result: CniResult): Resolved {
  const { type } = config.delegate;
  const { address, prefix, gateway } = readAddress(type, result);
  const cidr = config.delegate.subnet ?? networkOf(address, prefix);
  if (!containsIp(cidr, address)) throw refused(type, `${formatIp(address)}, outside of subnet ${formatCidr(cidr)}`, "make both agree");
  if (cidr.prefix > MAX_PREFIX)
    throw refused(type, `${formatIp(address)}/${prefix}, a network too small for HNS`, "set subnet to the pods' network");
  if (config.gatewayMode === "ipam" && gateway === undefined) {
    throw refused(type, "no gateway, and gatewayMode is ipam", "give that plugin a gateway, or set another gatewayMode");
  }
  const network = configForSubnet(config, cidr, gateway);
  refuseTaken(network, type, address);
  const dns = mergeDns(config.dns, result.dns);
  return { address, config: { ...network, dns, delegated: { prefix, routes: readRoutes(type, result, podGateway(network) ?? gateway) } } };
}

/** The configuration for a subnet that is known; `gateway` is the IPAM plugin's. */
export function configForSubnet(config: DelegatedConfig, cidr: Cidr, gateway?: IpAddress): PluginConfig {
  const unused = { cooldownMs: 0, waitMs: 0, reuseFloorMs: 0 }; // there is no pool of ours
  return { ...config, ipam: { pools: [{ cidr, blockSize: cidr.prefix, gateway: gateway ?? addressAt(cidr, 1) }], ...unused } };
}

function readAddress(type: string, result: CniResult): { address: IpAddress; prefix: number; gateway: IpAddress | undefined } {
  const [first, second] = result.ips;
  if (first === undefined) throw refused(type, "no address", "give it a range");
  if (second !== undefined) {
    const all = result.ips.map((ip) => ip.address).join(", ");
    throw refused(type, `several addresses (${all})`, "give it one IPv4 range; a second address comes with a later version");
  }
  const parsed = findAddressWithPrefix(first.address);
  if (parsed?.address.family !== 4)
    throw refused(type, `the address ${first.address}`, "give it an IPv4 range; IPv6 comes with a later version");
  const route = result.routes.find(({ dst, gw }) => dst === "0.0.0.0/0" && gw !== undefined);
  return { ...parsed, gateway: findIp(first.gateway ?? route?.gw ?? "") };
}

/** The pod must not have an address that something else has: HNS, the gateway, or the whole network. */
function refuseTaken(config: PluginConfig, type: string, address: IpAddress): void {
  const { cidr } = config.ipam.pools[0];
  const offset = offsetIn(cidr, address);
  const gateway = podGateway(config);
  const isGateway = gateway !== undefined && formatIp(gateway) === formatIp(address);
  const isHns = formatIp(networkGateway(config)) === formatIp(address);
  if (!isGateway && !isHns && offset !== 0 && offset !== cidrSize(cidr) - 1) return;
  const whose = isHns ? "which HNS keeps for itself" : isGateway ? "which is the pods' gateway" : "which is no address for a pod";
  const start = formatIp(addressAt(cidr, 3));
  throw refused(type, `${formatIp(address)}, ${whose}`, `keep it out of that plugin's range, for host-local by "rangeStart": "${start}"`);
}

/** Every route but the default one, which gatewayMode decides. */
function readRoutes(type: string, result: CniResult, fallback: IpAddress | undefined): PodRoute[] {
  return result.routes.flatMap(({ dst, gw }) => {
    const parsed = findAddressWithPrefix(dst);
    if (parsed === undefined || findCidr(dst)?.prefix === 0) return [];
    const nextHop = gw === undefined ? fallback : findIp(gw);
    if (parsed.address.family !== 4 || nextHop?.family !== 4) {
      throw refused(
        type,
        `the route ${dst}${gw === undefined ? " without a gateway" : ` through ${gw}`}`,
        "give it IPv4 routes with gateways",
      );
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
