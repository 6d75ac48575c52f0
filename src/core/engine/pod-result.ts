import { PluginError } from "../base/errors.ts";
import type { Mac } from "../base/ids.ts";
import { formatCidr, formatIp, type IpAddress } from "../base/ip.ts";
import type { CniResult } from "../cni/result.ts";
import type { PluginConfig } from "../config/plugin-config.ts";
import { podGateway, podRoutes } from "../datapath/l2bridge.ts";

/** The answer to an ADD: one interface in the sandbox, its addresses with the subnet's prefix length, the default route and DNS. */
export function buildResult(
  config: PluginConfig,
  pod: { ifname: string; netns: string; addresses: readonly IpAddress[]; mac: Mac | undefined },
): CniResult {
  const gateway = podGateway(config);
  const prefix = config.delegated?.prefix ?? config.ipam.pools[0].cidr.prefix;
  const gatewayText = gateway === undefined ? {} : { gateway: formatIp(gateway) };
  return {
    interfaces: [{ name: pod.ifname, sandbox: pod.netns, ...(pod.mac !== undefined && { mac: pod.mac }) }],
    ips: pod.addresses.map((address) => ({ address: `${formatIp(address)}/${prefix}`, interface: 0, ...gatewayText })),
    routes: podRoutes(config).map((route) => ({ dst: formatCidr(route.destination), gw: formatIp(route.nextHop) })),
    dns: config.dns,
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
