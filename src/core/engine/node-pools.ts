import { PluginError } from "../base/errors.ts";
import type { PluginConfig } from "../config/plugin-config.ts";
import { nodeLabels, poolsForNode } from "../config/pool-choice.ts";
import type { Operation } from "./operation.ts";

/** The operation with the pools that are for this node alone. Throws INVALID_CONFIG when there are none. */
export function forNode<C extends PluginConfig>(operation: Operation<C>): Operation<C> {
  const { config, machine } = operation;
  const { ipam } = config;
  if (ipam.pools.every(({ nodeSelector }) => nodeSelector === undefined)) return operation;
  const pools = poolsForNode(ipam.pools, nodeLabels(machine, ipam.nodeLabels));
  return operation.withConfig({ ...config, ipam: { ...ipam, pools } });
}

/** As forNode, for a network that this plugin makes: its main range is IPv4. */
export function forNetworkNode(operation: Operation): Operation {
  const own = forNode(operation);
  if (own.config.ipam.pools[0].cidr.address.family === 4) return own;
  const message = "of ipam.pools only IPv6 ranges are for this node, and Windows has no pods with IPv6 alone";
  throw new PluginError("INVALID_CONFIG", { message, remedy: "add an IPv4 pool for the node", field: "ipam.pools" });
}
