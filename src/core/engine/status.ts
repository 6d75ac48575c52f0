import { PluginError } from "../base/errors.ts";
import type { HostConfig } from "../config/plugin-config.ts";
import { getDatapath } from "../datapath/datapaths.ts";
import { parseNetwork } from "../hcn/documents.ts";
import { selectPools } from "../config/pool-choice.ts";
import { freeRested } from "../ipam/allocator.ts";
import type { PoolSpec } from "../ipam/pool.ts";
import { carveBlock } from "../ipam/blocks.ts";
import { mismatch, verificationStamp } from "./ensure-network.ts";
import type { Operation } from "./operation.ts";
import { poolSpec } from "./pool-spec.ts";
import type { StateTransaction } from "./store.ts";
import { withMode } from "./with-mode.ts";

/**
 * STATUS. Returns when the next ADD can succeed as far as can be told: the state is readable, HNS answers, and the network is equal
 * to the configuration or absent (the next ADD makes it). Its errors carry `existingContainersAffected` when running pods suffer too.
 */
export async function reportStatus(given: Operation): Promise<void> {
  const operation = await withMode(given);
  const { config, store } = operation;
  const known = store.read((tx) => tx.findNetwork(config.networkName));
  const id = await operation.scan.findNetwork();
  if (id === undefined) {
    const attachments = countAttached(operation);
    if (attachments > 0) operation.log.warn("network gone while attachments are recorded", { attachments });
  } else if (known?.id !== id || known.verified !== verificationStamp(operation)) {
    const differences = getDatapath(config).compareNetwork(parseNetwork(await operation.hcn.describe("network", id)), config);
    if (differences.length > 0) {
      throw mismatch({ name: config.networkName, differences, existingContainersAffected: countAttached(operation) > 0 });
    }
  }
  if (config.statusFailsOnExhaustion) requireFreeAddress(operation);
}

export function countAttached(operation: Operation<HostConfig>): number {
  return operation.store.read((tx) => tx.listAttachments({ network: operation.config.networkName, phases: ["attached"] })).length;
}

/** Throws ADDRESS_EXHAUSTED when the next ADD would find no address: one set of the pools that serve most pods has none. */
export function requireFreeAddress(operation: Operation): void {
  const { config, store, machine } = operation;
  const hasRoom = (tx: StateTransaction, spec: PoolSpec): boolean => {
    freeRested(tx, machine.clock, spec);
    const carved = tx.findPool(spec.id)?.carved ?? 0;
    return tx.findFullestBlock(spec.id) !== undefined || carveBlock(spec, spec.blockPrefix, carved) !== undefined;
  };
  const general = config.ipam.pools.filter(({ namespaces }) => namespaces === undefined);
  const sets = general.length === 0 ? [config.ipam.pools] : selectPools(general, undefined);
  const lacking = store.transaction((tx) => sets.find((set) => !set.some((pool) => hasRoom(tx, poolSpec(config, pool)))));
  if (lacking === undefined) return;
  const field = lacking[0].field ?? "ipam.cidr";
  const data = {
    message: "no free address is left for the next pod",
    remedy: `give ${field} a larger range, or leave statusFailsOnExhaustion off`,
  };
  throw new PluginError("ADDRESS_EXHAUSTED", data, { retryable: true });
}
