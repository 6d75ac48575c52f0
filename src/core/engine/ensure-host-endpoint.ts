import { PluginError } from "../base/errors.ts";
import { formatGuid, type Guid } from "../base/ids.ts";
import { formatIp } from "../base/ip.ts";
import { buildHostEndpoint, hostEndpointAddress } from "../datapath/l2bridge.ts";
import type { HcnHandle } from "../hcn/backend.ts";
import { parseEndpoint } from "../hcn/documents.ts";
import { isAddressInUse, isAlreadyAttached } from "../hcn/hresults.ts";
import { hostEndpointId, hostEndpointName } from "./attachment.ts";
import type { Operation } from "./operation.ts";

const HOST_COMPARTMENT = 1;
const FORWARDING_WAIT_MS = 10_000;

/**
 * Makes sure that the node has the address .2 on `network`, through an endpoint attached to its own compartment, and forwards.
 * One of that address made by somebody else is adopted as it is. Idempotent: an interrupted one is finished.
 */
export async function ensureHostEndpoint(operation: Operation, network: { id: Guid; handle: HcnHandle }): Promise<void> {
  const { machine, config, log } = operation;
  const name = hostEndpointName(config.networkName);
  const [existing] = await operation.hcn.enumerate("endpoint", { Name: name });
  const id = existing === undefined ? await createHostEndpoint(operation, network) : await checkHostEndpoint(operation, existing);
  if (id !== undefined) await attachToHost(operation, id);
  const address = hostEndpointAddress(config);
  const outcome = await machine.enableForwarding(address, FORWARDING_WAIT_MS);
  if (outcome === "missing") log.warn("forwarding not enabled: this system has no function for it", { address: formatIp(address) });
}

/** The id of the endpoint created; undefined when the address is taken, which means that somebody else made a host endpoint. */
async function createHostEndpoint(operation: Operation, network: { id: Guid; handle: HcnHandle }): Promise<Guid | undefined> {
  const { config, machine, hcn, log } = operation;
  const id = hostEndpointId(machine.nodeName, config.networkName);
  const document = buildHostEndpoint(config, hostEndpointName(config.networkName), network.id);
  try {
    return await hcn.withHandle(hcn.createEndpoint(network.handle, id, document), async (handle) => parseEndpoint(await hcn.query(handle)).id);
  } catch (thrown) {
    if (!isAddressInUse(thrown)) throw thrown;
    log.info("host endpoint adopted", { address: formatIp(hostEndpointAddress(config)) });
    return undefined;
  }
}

/** Throws NETWORK_MISMATCH when the endpoint of our name has another address. */
async function checkHostEndpoint(operation: Operation, id: Guid): Promise<Guid> {
  const answer = await operation.hcn.callV1({ method: "GET", path: `/endpoints/${formatGuid(id)}` });
  const found = typeof answer === "object" && answer !== null && "IPAddress" in answer ? answer.IPAddress : undefined;
  const wanted = formatIp(hostEndpointAddress(operation.config));
  if (found === wanted) return id;
  const name = hostEndpointName(operation.config.networkName);
  const message = `the host endpoint "${name}" has the address ${String(found)}, wanted ${wanted}`;
  throw new PluginError("NETWORK_MISMATCH", { message, remedy: `remove the endpoint "${name}", or correct ipam.cidr` });
}

async function attachToHost(operation: Operation, id: Guid): Promise<void> {
  const body = { SystemType: "Host", CompartmentId: HOST_COMPARTMENT };
  try {
    await operation.hcn.callV1({ method: "POST", path: `/endpoints/${formatGuid(id)}/attach`, body });
  } catch (thrown) {
    if (!isAlreadyAttached(thrown)) throw thrown;
  }
}
