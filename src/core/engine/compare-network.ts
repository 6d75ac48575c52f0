import { findCidr } from "../base/ip.ts";
import type { AttachableConfig, DelegatedConfig } from "../config/plugin-config.ts";
import { findModeOfType, getDatapath } from "../datapath/datapaths.ts";
import type { NetworkView } from "../hcn/documents.ts";
import { configForSubnets } from "./delegated-config.ts";
import { settleSubnets } from "./settle-subnets.ts";

/**
 * What in `network` differs from the configuration, as "field is X, wanted Y". Where the configuration leaves the mode, or with addresses of
 * somebody else the subnets, to the network, the network's own are as wanted. Throws INVALID_CONFIG for a type that no mode serves.
 */
export function findDifferences(given: AttachableConfig | DelegatedConfig, network: NetworkView): string[] {
  const mode = given.mode ?? findModeOfType(network.type);
  const config = mode === undefined ? given : { ...given, mode };
  if (!("delegate" in config)) return getDatapath(config).compareNetwork(network, settleSubnets(config, network));
  const { subnets } = config.delegate;
  const [first, ...rest] = subnets.length > 0 ? subnets : network.subnets.flatMap(({ prefix }) => findCidr(prefix) ?? []);
  if (first === undefined) return ["subnet is none, wanted one"];
  return getDatapath(config).compareNetwork(network, configForSubnets(config, [first, ...rest]));
}
