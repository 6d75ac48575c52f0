import { PluginError } from "../base/errors.ts";
import { formatGuid, type Guid } from "../base/ids.ts";
import { formatIp } from "../base/ip.ts";
import type { AttachableConfig } from "../config/plugin-config.ts";
import { getDatapath } from "../datapath/datapaths.ts";
import type { HcnHandle } from "../hcn/backend.ts";
import { parseEndpoint } from "../hcn/documents.ts";
import type { EndpointSummary } from "../hcn/documents-v1.ts";
import { isAddressInUse, isAlreadyAttached } from "../hcn/hresults.ts";
import { hostEndpointId, hostEndpointName } from "./attachment.ts";
import type { Operation } from "./operation.ts";

const HOST_COMPARTMENT = 1;
const FORWARDING_WAIT_MS = 10_000;

/** A network that needs a host endpoint; a new one is known to have no endpoints. */
export interface HostEndpointTarget {
  readonly id: Guid;
  readonly handle: HcnHandle;
  readonly isNew: boolean;
}

/**
 * Makes sure that the node has the addresses .2 on `network`, through an endpoint attached to its own compartment, and forwards.
 * One of that address made by somebody else is adopted as it is. Idempotent: an interrupted one is finished.
 */
export async function ensureHostEndpoint(operation: Operation<AttachableConfig>, network: HostEndpointTarget): Promise<void> {
  const { machine, config, log } = operation;
  const existing = network.isNew ? undefined : await findHostEndpoint(operation, network.id);
  const id = existing === undefined ? await createHostEndpoint(operation, network) : existing.id;
  if (existing === undefined || existing.name === hostEndpointName(config.networkName)) await attachToHost(operation, id);
  for (const address of getDatapath(config).hostEndpointAddresses(config)) {
    const outcome = await machine.enableForwarding(address, FORWARDING_WAIT_MS);
    if (outcome === "missing") log.warn("forwarding not enabled: this system has no function for it", { address: formatIp(address) });
  }
}

/** The endpoint that has .2 on the network. Throws NETWORK_MISMATCH when one of our name has another address. */
async function findHostEndpoint(operation: Operation<AttachableConfig>, network: Guid): Promise<EndpointSummary | undefined> {
  const { config, scan } = operation;
  const name = hostEndpointName(config.networkName);
  const wanted = getDatapath(config).hostEndpointAddresses(config).map(formatIp);
  const endpoints = (await scan.listEndpoints()).filter((endpoint) => endpoint.network === network);
  const found = endpoints.find(({ addresses }) => wanted.every((address) => addresses.includes(address)));
  const named = endpoints.find((endpoint) => endpoint.name === name);
  if (found !== undefined || named === undefined) return found;
  // Version 1 tells one address of each family; with several ranges version 2 has to say.
  const { addresses } = parseEndpoint(await operation.hcn.describe("endpoint", named.id));
  if (wanted.every((address) => addresses.some((held) => held.address === address))) return named;
  const message = `the host endpoint "${name}" has the address ${named.addresses.join(", ") || "none"}, wanted ${wanted.join(", ")}`;
  throw new PluginError("NETWORK_MISMATCH", { message, remedy: `remove the endpoint "${name}", or correct ipam.cidr` });
}

/** The id of the endpoint created, or of the one that another process made meanwhile. */
async function createHostEndpoint(operation: Operation<AttachableConfig>, network: HostEndpointTarget): Promise<Guid> {
  const { config, machine, hcn, scan } = operation;
  const id = hostEndpointId(machine.nodeName, config.networkName);
  const document = getDatapath(config).buildHostEndpoint(config, hostEndpointName(config.networkName), network.id);
  try {
    return await hcn.withHandle(
      hcn.createEndpoint(network.handle, id, document),
      async (handle) => parseEndpoint(await hcn.query(handle)).id,
    );
  } catch (thrown) {
    if (!isAddressInUse(thrown)) throw thrown;
    scan.forget();
    const other = await findHostEndpoint(operation, network.id);
    if (other === undefined) throw thrown;
    return other.id;
  }
}

async function attachToHost(operation: Operation<AttachableConfig>, id: Guid): Promise<void> {
  const body = { SystemType: "Host", CompartmentId: HOST_COMPARTMENT };
  try {
    await operation.hcn.callV1({ method: "POST", path: `/endpoints/${formatGuid(id)}/attach`, body });
  } catch (thrown) {
    if (!isAlreadyAttached(thrown)) throw thrown;
  }
}
