import { PluginError } from "../base/errors.ts";
import type { Guid } from "../base/ids.ts";
import { buildConfigError } from "../config/faults.ts";
import type { AttachableConfig, NetworkConfig } from "../config/plugin-config.ts";
import type { Datapath } from "../datapath/datapath.ts";
import { getDatapath } from "../datapath/datapaths.ts";
import type { HcnHandle } from "../hcn/backend.ts";
import { buildPolicyRequest, type NetworkDocument, type NetworkView, parseNetwork } from "../hcn/documents.ts";
import type { HnsVersion } from "../hcn/features.ts";
import { isNetworkExists, isNotFound } from "../hcn/hresults.ts";
import { networkId } from "./attachment.ts";
import { ensureHostEndpoint } from "./ensure-host-endpoint.ts";
import { describeWithAddress } from "./provider-address.ts";
import { settleSubnets } from "./settle-subnets.ts";
import type { Operation } from "./operation.ts";
import type { NetworkRecord } from "./store.ts";

/** A network that can take endpoints. The caller closes the handle. */
export interface ReadyNetwork {
  readonly id: Guid;
  readonly handle: HcnHandle;
  readonly version: HnsVersion;
  /** What HNS says of it, read now; undefined where the mode and the configuration need none of it. */
  readonly view: NetworkView | undefined;
}

/**
 * Opens the HNS network of the configuration, creating it with its host endpoint when absent. What was compared before, for the same
 * configuration and the same run of HNS, is not compared again: then this is one call, and one more where the mode needs the node's
 * address on the network. Throws NETWORK_MISMATCH, naming the differing fields, rather than change or replace a network that exists,
 * UNSUPPORTED_FIELD for what the mode or this HNS cannot do and INVALID_CONFIG for such policies, before anything is made, and NETWORK_NOT_READY when the node gets no address.
 */
export async function openReadyNetwork(operation: Operation<AttachableConfig>): Promise<ReadyNetwork> {
  const { config, store } = operation;
  const stamp = verificationStamp(operation);
  const known = store.read((tx) => tx.findNetwork(config.networkName));
  if (known?.verified === stamp && known.id !== undefined) {
    const version = parseHnsVersion(known.hnsVersion);
    requireSupported(operation, version);
    try {
      return await openKnown(operation, { id: known.id, version });
    } catch (thrown) {
      if (!isNotFound(thrown)) throw thrown; // removed behind our back: it is made again below
    }
  }
  return ensureNetwork(operation, known, stamp);
}

async function openKnown(operation: Operation<AttachableConfig>, known: Pick<ReadyNetwork, "id" | "version">): Promise<ReadyNetwork> {
  const handle = await operation.hcn.open("network", known.id);
  return closingOnFailure(operation, handle, async () => {
    return { ...known, handle, view: needsView(operation.config) ? await readNetwork(operation, handle) : undefined };
  });
}

/** Where HNS chooses the addresses, the network's own subnets are those that count. */
function needsView(config: AttachableConfig): boolean {
  return !("ipam" in config) || getDatapath(config).needs.providerAddress;
}

/** What HNS says of the network, once the node has an address there, if the mode needs one. */
async function readNetwork(operation: Operation<AttachableConfig>, handle: HcnHandle): Promise<NetworkView> {
  if (getDatapath(operation.config).needs.providerAddress) return describeWithAddress(operation, handle);
  return parseNetwork(await operation.hcn.query(handle));
}

async function closingOnFailure<T>(operation: Operation<AttachableConfig>, handle: HcnHandle, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    await operation.hcn.close(handle);
    throw thrown;
  }
}

/** Throws UNSUPPORTED_FIELD for what the mode or this HNS cannot do, and INVALID_CONFIG for policies that it cannot apply. */
export function requireSupported({ config, log }: Operation<AttachableConfig>, version: HnsVersion): void {
  const datapath = getDatapath(config);
  const found = datapath.findUnsupported(config, version);
  if (found !== undefined) {
    const { field, problem, remedy } = found;
    throw new PluginError("UNSUPPORTED_FIELD", { message: `${field} is ${problem}`, remedy, field });
  }
  const { warnings, faults } = datapath.judgePolicies(config, version);
  for (const warning of warnings) log.warn("policy", { warning });
  if (faults.length > 0) throw buildConfigError(faults);
}

async function ensureNetwork(
  operation: Operation<AttachableConfig>,
  known: NetworkRecord | undefined,
  stamp: string,
): Promise<ReadyNetwork> {
  const { config, store, log } = operation;
  const datapath = getDatapath(config);
  const version = await readHnsVersion(operation);
  requireSupported(operation, version);
  const { handle: opened, isNew } = await openOrCreate(operation, known, version);
  return closingOnFailure(operation, opened, async () => {
    const network = await readNetwork(operation, opened);
    const differences = datapath.compareNetwork(network, settleSubnets(config, network));
    if (differences.length > 0) throw mismatch({ name: config.networkName, differences, existingContainersAffected: false });
    const isOurs = isOurNetwork(operation, network.id);
    const { network: onNetwork, subnet: onSubnets } = config.policies;
    if (!isNew && onNetwork.length + onSubnets.length > 0)
      log.warn("network policies not compared: a network that exists is used as it is");
    if (isOurs) await furnish(operation, datapath, { id: network.id, handle: opened, isNew, view: network });
    const hnsVersion = `${version.major}.${version.minor}`;
    const record = { name: config.networkName, id: network.id, isOurs, isCreating: false, verified: stamp, hnsVersion };
    store.transaction((tx) => tx.putNetwork(record));
    log.info("network verified", { network: config.networkName, id: network.id, ours: isOurs, hnsVersion });
    return { id: network.id, handle: opened, version, view: network };
  });
}

interface OwnNetwork {
  readonly id: Guid;
  readonly handle: HcnHandle;
  readonly isNew: boolean;
  readonly view: NetworkView;
}

/** What a network of ours has beside itself. An interrupted one is finished. */
async function furnish(operation: Operation<AttachableConfig>, datapath: Datapath, network: OwnNetwork): Promise<void> {
  if (datapath.needs.hostRoute && !network.view.hasHostRoute) await addHostRoute(operation, network.handle);
  if (datapath.hostEndpointAddresses(operation.config).length > 0) await ensureHostEndpoint(operation, network);
}

/** Older versions of HNS refuse this policy; pods then work, and the node reaches them only by way of other nodes. */
async function addHostRoute(operation: Operation<AttachableConfig>, handle: HcnHandle): Promise<void> {
  try {
    await operation.hcn.modify(handle, buildPolicyRequest("Add", [{ Type: "HostRoute", Settings: {} }]));
  } catch (thrown) {
    if (!(thrown instanceof PluginError && thrown.code === "HNS_REFUSED")) throw thrown;
    operation.log.warn("HNS refused the HostRoute policy: the node may not reach its own pods", { error: thrown });
  }
}

/** Whether we made the network: it has our id, or we were making one of this name and HNS chose the id itself. */
function isOurNetwork(operation: Operation<AttachableConfig>, id: Guid): boolean {
  const { config, machine, store } = operation;
  if (id === networkId(machine.nodeName, config.networkName)) return true;
  const record = store.read((tx) => tx.findNetwork(config.networkName));
  return record !== undefined && (record.isCreating || (record.isOurs && record.id === id));
}

async function openOrCreate(
  operation: Operation<AttachableConfig>,
  known: NetworkRecord | undefined,
  version: HnsVersion,
): Promise<{ handle: HcnHandle; isNew: boolean }> {
  const existing = await openByName(operation);
  if (existing !== undefined) return { handle: existing, isNew: false };
  const created = await createNetwork(operation, known, version);
  if (created !== undefined) return { handle: created, isNew: true };
  operation.scan.forget();
  const other = await openByName(operation);
  if (other === undefined) throw vanished(operation.config.networkName);
  return { handle: other, isNew: false };
}

async function openByName(operation: Operation<AttachableConfig>): Promise<HcnHandle | undefined> {
  const id = await operation.scan.findNetwork();
  return id === undefined ? undefined : operation.hcn.open("network", id);
}

/** Creates the network; undefined when another process was quicker. That we are at it is durable before HNS is asked. */
export async function createNetwork(
  operation: Operation<AttachableConfig>,
  known: NetworkRecord | undefined,
  version: HnsVersion,
): Promise<HcnHandle | undefined> {
  const { config, store, machine, hcn, log } = operation;
  const document = buildNewNetwork(config, version);
  const blank = { name: config.networkName, id: undefined, isOurs: false, verified: "", hnsVersion: "" };
  store.transaction((tx) => tx.putNetwork({ ...blank, ...known, verified: "", isCreating: true }));
  try {
    const handle = await hcn.createNetwork(networkId(machine.nodeName, config.networkName), document);
    log.info("network created", { network: config.networkName });
    return handle;
  } catch (thrown) {
    if (isNetworkExists(thrown)) return undefined;
    throw thrown;
  }
}

/** Throws INVALID_CONFIG when the configuration says too little of a network that is to be made. */
export function buildNewNetwork(config: AttachableConfig, version: HnsVersion): NetworkDocument {
  const datapath = getDatapath(config.isModeFound === true ? { networkName: config.networkName } : config);
  const document = datapath.buildNetwork(config, version);
  const hasSubnet = document.Ipams.some(({ Subnets }) => Subnets.length > 0);
  if (hasSubnet || !datapath.needs.subnet) return document;
  const message = `subnet is missing, and there is no HNS network "${config.networkName}" that has one`;
  const remedy = 'set subnet to the network of the pods, such as "10.244.3.0/24", or write an ipam section';
  throw new PluginError("INVALID_CONFIG", { message, remedy, field: "subnet" });
}

/** Throws HNS_REFUSED when HNS's answer has no version. */
export async function readHnsVersion(operation: Operation<NetworkConfig>): Promise<HnsVersion> {
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
export function verificationStamp(operation: Pick<Operation<AttachableConfig>, "config" | "machine">): string {
  const { config, machine } = operation;
  return JSON.stringify([machine.clock.bootId(), machine.hnsStart(), comparedPart(config)]);
}

function comparedPart(config: AttachableConfig): unknown {
  const datapath = getDatapath(config);
  return [datapath.buildNetwork(config), datapath.gatewayMode(config)];
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
