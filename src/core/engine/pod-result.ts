import { PluginError } from "../base/errors.ts";
import type { Mac } from "../base/ids.ts";
import { formatCidr, formatIp, type IpAddress } from "../base/ip.ts";
import type { CniResult } from "../cni/result.ts";
import type { AttachableConfig } from "../config/plugin-config.ts";
import { getDatapath } from "../datapath/datapaths.ts";

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
