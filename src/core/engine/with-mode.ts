import { PluginError } from "../base/errors.ts";
import type { AttachableConfig, Mode, NetworkConfig } from "../config/plugin-config.ts";
import { DATAPATHS, findModeOfType, getDatapath } from "../datapath/datapaths.ts";
import { parseNetwork } from "../hcn/documents.ts";
import { verificationStamp } from "./ensure-network.ts";
import type { Operation } from "./operation.ts";

/**
 * The operation with the mode known: that of the configuration, else that of the HNS network of its name. The mode of a network that was
 * verified before is known without asking HNS. Throws INVALID_CONFIG, naming `mode`, when there is neither, and NETWORK_MISMATCH when
 * the network is of a type that no mode serves.
 */
export async function withMode<C extends NetworkConfig>(operation: Operation<C>): Promise<Operation<C>> {
  const { config } = operation;
  if (config.mode !== undefined) return operation;
  const mode = findVerifiedMode(operation) ?? (await readMode(operation));
  if (mode === undefined) getDatapath(config);
  return operation.withConfig({ ...config, mode, isModeFound: true });
}

/** The mode whose verification the state holds, for this configuration and this run of HNS. */
function findVerifiedMode({ config, machine, store }: Operation<NetworkConfig>): Mode | undefined {
  const known = store.read((tx) => tx.findNetwork(config.networkName));
  if (known === undefined || known.verified === "" || !isAttachable(config)) return undefined;
  const modes = Object.keys(DATAPATHS) as Mode[]; // the keys are Mode by DATAPATHS' own type
  return modes.find((mode) => verificationStamp({ config: { ...config, mode }, machine }) === known.verified);
}

/** With another IPAM plugin the ranges are known only once it has answered. */
function isAttachable(config: NetworkConfig): config is AttachableConfig {
  return "ipam" in config || "hnsAddressed" in config;
}

async function readMode({ config, scan, hcn }: Operation<NetworkConfig>): Promise<Mode | undefined> {
  const id = await scan.findNetwork();
  if (id === undefined) return undefined;
  const { type } = parseNetwork(await hcn.describe("network", id));
  const mode = findModeOfType(type);
  if (mode !== undefined) return mode;
  const message = `the HNS network "${config.networkName}" exists and is of type ${type}, which no mode serves`;
  throw new PluginError("NETWORK_MISMATCH", { message, remedy: "choose another name, or remove the network when nobody uses it" });
}
