import { PluginError } from "../base/errors.ts";
import type { Mac } from "../base/ids.ts";
import { formatCidr, formatIp, type IpAddress } from "../base/ip.ts";
import type { CniResult } from "../cni/result.ts";
import type { AttachableConfig, DnsConfig, PodAddress } from "../config/plugin-config.ts";
import { getDatapath } from "../datapath/datapaths.ts";
import { DEFAULT_ROUTES } from "../datapath/network-document.ts";

/** The answer to an ADD: one interface in the sandbox, its addresses with the subnet's prefix length, its routes and DNS. */
export function buildResult(
  config: AttachableConfig,
  pod: { ifname: string; netns: string; addresses: readonly IpAddress[]; mac: Mac | undefined },
): CniResult {
  const datapath = getDatapath(config);
  return {
    interfaces: [{ name: pod.ifname, sandbox: pod.netns, ...(pod.mac !== undefined && { mac: pod.mac }) }],
    ips: pod.addresses.map((address) => {
      const gateway = datapath.podGateway(config, address);
      const text = `${formatIp(address)}/${datapath.podPrefix(config, address)}`;
      return { address: text, interface: 0, ...(gateway !== undefined && { gateway: formatIp(gateway) }) };
    }),
    routes: datapath.podRoutes(config, pod.addresses).map((route) => ({ dst: formatCidr(route.destination), gw: formatIp(route.nextHop) })),
    dns: config.dns,
  };
}

/** What HNS tells of a pod that was attached. */
export interface StandingPod {
  readonly ifname: string;
  readonly netns: string;
  readonly mac: Mac | undefined;
  readonly addresses: readonly PodAddress[];
  readonly routes: readonly { readonly nextHop: string; readonly destination: string }[];
  readonly dns: DnsConfig;
}

/** The answer that an ADD must have given, by its endpoint: the routes are HNS's, and the prefix lengths those of the HNS network. */
export function resultOfEndpoint({ ifname, netns, mac, addresses, routes, dns }: StandingPod): CniResult {
  return {
    interfaces: [{ name: ifname, sandbox: netns, ...(mac !== undefined && { mac }) }],
    ips: addresses.map(({ address, prefix }) => {
      const gateway = routes.find(({ destination }) => destination === DEFAULT_ROUTES[address.family])?.nextHop;
      return { address: `${formatIp(address)}/${prefix}`, interface: 0, ...(gateway !== undefined && { gateway }) };
    }),
    routes: routes.map(({ destination, nextHop }) => ({ dst: destination, gw: nextHop })),
    dns,
  };
}

/** The result kept with an attachment. Throws STATE_FAILURE when it is damaged. */
export function parseStoredResult(text: string | undefined): CniResult {
  try {
    const value: unknown = JSON.parse(text ?? "");
    if (typeof value === "object" && value !== null && "ips" in value && "interfaces" in value) return value as CniResult;
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
  }
  const data = {
    message: "state.db is damaged: the result of an attachment cannot be read",
    remedy: "delete the pod; DEL does not need it",
  };
  throw new PluginError("STATE_FAILURE", data);
}
