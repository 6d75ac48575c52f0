import { PluginError } from "../base/errors.ts";
import type { Guid } from "../base/ids.ts";
import type { PluginConfig } from "../config/plugin-config.ts";
import { buildNetwork, compareNetwork } from "../datapath/l2bridge.ts";
import type { HcnHandle } from "../hcn/backend.ts";
import { parseNetwork } from "../hcn/documents.ts";
import type { HnsVersion } from "../hcn/features.ts";
import { isNetworkExists, isNotFound } from "../hcn/hresults.ts";
import { networkId } from "./attachment.ts";
import { ensureHostEndpoint } from "./ensure-host-endpoint.ts";
import type { Operation } from "./operation.ts";
import type { NetworkRecord } from "./store.ts";

/** A network that can take endpoints. The caller closes the handle. */
export interface ReadyNetwork {
  readonly id: Guid;
  readonly handle: HcnHandle;
  readonly version: HnsVersion;
}

/**
 * Opens the HNS network of the configuration, creating it with its host endpoint when absent. What was compared before, for the same
 * configuration and the same run of HNS, is not compared again: then this is one call. Throws NETWORK_MISMATCH, naming the differing
 * fields, rather than change or replace a network that exists.
 */
export async function openReadyNetwork(operation: Operation): Promise<ReadyNetwork> {
  const { config, store } = operation;
  const stamp = verificationStamp(operation);
  const known = store.read((tx) => tx.findNetwork(config.networkName));
  if (known?.verified === stamp && known.id !== undefined) {
    try {
      return { id: known.id, handle: await operation.hcn.open("network", known.id), version: parseHnsVersion(known.hnsVersion) };
    } catch (thrown) {
      if (!isNotFound(thrown)) throw thrown; // removed behind our back: it is made again below
    }
  }
  return ensureNetwork(operation, known, stamp);
}

async function ensureNetwork(operation: Operation, known: NetworkRecord | undefined, stamp: string): Promise<ReadyNetwork> {
  const { config, store, log } = operation;
  const version = await readHnsVersion(operation);
  const { handle: opened, isNew } = await openOrCreate(operation, known);
  try {
    const network = parseNetwork(await operation.hcn.query(opened));
    const differences = compareNetwork(network, config);
    if (differences.length > 0) throw mismatch({ name: config.networkName, differences, existingContainersAffected: false });
    const isOurs = isOurNetwork(operation, network.id);
    if (isOurs && config.gatewayMode === "host-endpoint") await ensureHostEndpoint(operation, { id: network.id, handle: opened, isNew });
    const hnsVersion = `${version.major}.${version.minor}`;
    const record = { name: config.networkName, id: network.id, isOurs, isCreating: false, verified: stamp, hnsVersion };
    store.transaction((tx) => tx.putNetwork(record));
    log.info("network verified", { network: config.networkName, id: network.id, ours: isOurs, hnsVersion });
    return { id: network.id, handle: opened, version };
  } catch (thrown) {
    await operation.hcn.close(opened);
    throw thrown;
  }
}

/** Whether we made the network: it has our id, or we were making one of this name and HNS chose the id itself. */
function isOurNetwork(operation: Operation, id: Guid): boolean {
  const { config, machine, store } = operation;
  if (id === networkId(machine.nodeName, config.networkName)) return true;
  const record = store.read((tx) => tx.findNetwork(config.networkName));
  return record !== undefined && (record.isCreating || (record.isOurs && record.id === id));
}

async function openOrCreate(operation: Operation, known: NetworkRecord | undefined): Promise<{ handle: HcnHandle; isNew: boolean }> {
  const existing = await openByName(operation);
  if (existing !== undefined) return { handle: existing, isNew: false };
  const created = await createNetwork(operation, known);
  if (created !== undefined) return { handle: created, isNew: true };
  operation.scan.forget();
  const other = await openByName(operation);
  if (other === undefined) throw vanished(operation.config.networkName);
  return { handle: other, isNew: false };
}

async function openByName(operation: Operation): Promise<HcnHandle | undefined> {
  const id = await operation.scan.findNetwork();
  return id === undefined ? undefined : operation.hcn.open("network", id);
}

/** Creates the network; undefined when another process was quicker. That we are at it is durable before HNS is asked. */
async function createNetwork(operation: Operation, known: NetworkRecord | undefined): Promise<HcnHandle | undefined> {
  const { config, store, machine, hcn, log } = operation;
  const blank = { name: config.networkName, id: undefined, isOurs: false, verified: "", hnsVersion: "" };
  store.transaction((tx) => tx.putNetwork({ ...blank, ...known, verified: "", isCreating: true }));
  try {
    const handle = await hcn.createNetwork(networkId(machine.nodeName, config.networkName), buildNetwork(config));
    log.info("network created", { network: config.networkName });
    return handle;
  } catch (thrown) {
    if (isNetworkExists(thrown)) return undefined;
    throw thrown;
  }
}

/** Throws HNS_REFUSED when HNS's answer has no version. */
export async function readHnsVersion(operation: Operation): Promise<HnsVersion> {
  const answer = await operation.hcn.callV1({ method: "GET", path: "/globals/version" });
  const { Major: major, Minor: minor } = (typeof answer === "object" && answer !== null ? answer : {}) as {
    Major?: unknown;
    Minor?: unknown;
  };
  if (typeof major === "number" && typeof minor === "number") return { major, minor };
  const data = { message: "HNS did not tell its version", remedy: "use Windows Server 2019 or later" };
  throw new PluginError("HNS_REFUSED", data);
}

/** What the comparison of a network depends on. Another value of any part means that it is compared anew. */
export function verificationStamp(operation: Operation): string {
  const { config, machine } = operation;
  return JSON.stringify([machine.clock.bootId(), machine.hnsStart(), comparedPart(config)]);
}

function comparedPart(config: PluginConfig): unknown {
  const document = buildNetwork(config);
  return [document, config.gatewayMode];
}

/** `major.minor` as kept with a network; 0.0, which has no feature, when it is neither. */
export function parseHnsVersion(text: string): HnsVersion {
  const [major = 0, minor = 0] = text.split(".").map(Number);
  return { major, minor };
}

/** The error for a network that exists and differs. */
export function mismatch(network: { name: string; differences: readonly string[]; existingContainersAffected: boolean }): PluginError {
  const { name, differences, existingContainersAffected } = network;
  const message = `the HNS network "${name}" exists and differs from the configuration: ${differences.join("; ")}`;
  const remedy = "change the configuration to match, choose another name, or remove the network when no pod uses it";
  return new PluginError("NETWORK_MISMATCH", { message, remedy, existingContainersAffected });
}

function vanished(name: string): PluginError {
  const message = `the HNS network "${name}" exists for HNS's create call and does not for its enumeration`;
  return new PluginError("NETWORK_NOT_READY", { message, remedy: "try again; restart the hns service if it stays" }, { retryable: true });
}
