import { PluginError } from "../../base/errors.ts";
import { formatIp } from "../../base/ip.ts";
import type { PluginConfig } from "../../config/plugin-config.ts";
import { hostEndpointAddress } from "../../datapath/l2bridge.ts";
import { networkId } from "../attachment.ts";
import { openReadyNetwork, verificationStamp } from "../ensure-network.ts";
import type { Operation } from "../operation.ts";
import { configOfAttachment, configOfNetwork } from "../request-memory.ts";
import { act, note, type NetworkPass, startOperation } from "./pass.ts";

/** The network and the node's own endpoint on it: made again when missing, as they were; what differs is only told. */
export async function repairNetwork(pass: NetworkPass): Promise<void> {
  const { record, look } = pass;
  const config = findConfig(pass);
  if (look.id === undefined) return repairMissing(pass, config);
  if (config === undefined) return;
  const operation = startOperation(pass, config);
  const lacksHost = record.isOurs && config.gatewayMode === "host-endpoint" && !hasHostEndpoint(pass, config);
  if (lacksHost) {
    const detail = `the node has no endpoint with ${formatIp(hostEndpointAddress(config))}`;
    await act(pass, { action: "host-endpoint", subject: "", detail }, () => ensure(pass, operation));
  } else if (record.verified !== verificationStamp(operation) && !pass.dryRun) await compare(pass, operation);
}

async function repairMissing(pass: NetworkPass, config: PluginConfig | undefined): Promise<void> {
  const detail = "HNS has no network of this name";
  const why = pass.record.isOurs ? "and its configuration is not known here" : "and it was not ours";
  if (config === undefined || !pass.record.isOurs) {
    note(pass, { action: "difference", outcome: "found", subject: "", detail: `${detail}, ${why}` });
  } else await act(pass, { action: "network", subject: "", detail }, () => ensure(pass, startOperation(pass, config)));
}

/** A network found by another run of HNS is compared anew, as the next ADD would. */
async function compare(pass: NetworkPass, operation: Operation): Promise<void> {
  try {
    await ensure(pass, operation);
  } catch (thrown) {
    if (!(thrown instanceof PluginError && thrown.code === "NETWORK_MISMATCH")) throw thrown;
    note(pass, { action: "difference", outcome: "found", subject: "", detail: thrown.message });
  }
}

async function ensure({ record, engine }: NetworkPass, operation: Operation): Promise<boolean> {
  engine.store.transaction((tx) => {
    const current = tx.findNetwork(record.name);
    if (current !== undefined) tx.putNetwork({ ...current, verified: "" });
  });
  const network = await openReadyNetwork(operation);
  await operation.hcn.close(network.handle);
  return true;
}

function hasHostEndpoint({ look }: NetworkPass, config: PluginConfig): boolean {
  const wanted = formatIp(hostEndpointAddress(config));
  return look.endpoints.some(({ network, address }) => network === look.id && address === wanted);
}

/** What the network's last ADD had; where only another IPAM plugin knew the range, what a pod that stands has. */
function findConfig({ engine, record, attachments }: NetworkPass): PluginConfig | undefined {
  const own = engine.store.read((tx) => tx.findRequest(networkId(engine.machine.nodeName, record.name)));
  const config = own === undefined ? undefined : configOfNetwork(own);
  if (config !== undefined) return config;
  for (const attachment of attachments.filter(({ phase }) => phase === "attached")) {
    const request = engine.store.read((tx) => tx.findRequest(attachment.id));
    if (request !== undefined) return configOfAttachment(request, attachment);
  }
  return undefined;
}
