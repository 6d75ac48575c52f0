import { cidrSize, formatCidr, offsetIn } from "../base/ip.ts";
import type { PluginConfig } from "../config/plugin-config.ts";
import type { PoolSpec } from "../ipam/allocator.ts";

/**
 * The pool of a network's pod range. Windows does not let a pod have the network address, the gateway of the HNS network (.1), the
 * host endpoint (.2) and the broadcast address; a gateway of the configuration's own is kept back too.
 */
export function poolSpec(config: PluginConfig): PoolSpec {
  const { cooldownMs, warm, pools } = config.ipam;
  const { cidr, blockSize, gateway, keptBack, isReservedPerBlock, isForOthers } = pools[0];
  const own = offsetIn(cidr, gateway);
  const windows = isForOthers === true ? [] : [0, 1, 2, cidrSize(cidr) - 1];
  const reserved = new Set([...windows, ...(own === undefined ? [] : [own])]);
  return {
    id: `${config.networkName}/${formatCidr(cidr)}`,
    cidr,
    blockPrefix: blockSize,
    reserved: [...reserved],
    ...(keptBack === undefined ? {} : { keptBack }),
    ...(isReservedPerBlock === undefined ? {} : { isReservedPerBlock }),
    ...(warm === undefined ? {} : { warm }),
    cooldownMs,
  };
}
