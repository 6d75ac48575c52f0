import { findGuid, findMac, type Guid, type Mac } from "../../base/ids.ts";
import { findIp, type IpAddress } from "../../base/ip.ts";
import type { AttachableConfig } from "../../config/plugin-config.ts";
import { getDatapath } from "../../datapath/datapaths.ts";
import { formatHnsMac } from "../../datapath/endpoint-document.ts";
import { type EndpointView, parseEndpoint } from "../../hcn/documents.ts";
import type { EndpointSummary } from "../../hcn/documents-v1.ts";
import { type Attachment, endpointName } from "../attachment.ts";
import { openReadyNetwork } from "../ensure-network.ts";
import type { Operation } from "../operation.ts";
import { parseStoredResult } from "../pod-result.ts";
import { hasNamespace, joinSandbox } from "../sandbox.ts";
import { settleSubnets } from "../settle-subnets.ts";
import { withMode } from "../with-mode.ts";
import { inspectEndpoint } from "./inspect.ts";
import {
  act,
  alone,
  findPodConfig,
  isDue,
  isSame,
  isUsed,
  nameAttachment,
  note,
  type NetworkPass,
  startOperation,
  withAttachment,
} from "./pass.ts";
import { endAttachment, isAtWork } from "./settle.ts";

/** The pods that are attached: their endpoints are made again, put back, compared, or removed with a sandbox that is gone. */
export async function repairEndpoints(pass: NetworkPass): Promise<void> {
  const byId = new Map(pass.look.endpoints.map((endpoint) => [endpoint.id, endpoint]));
  for (const attachment of pass.attachments) {
    // A container of Docker is no object of HNS: whether it lives cannot be told.
    const isKnown = attachment.phase === "attached" && hasNamespace(attachment.netns);
    if (!isKnown || isAtWork(pass, attachment)) continue;
    await alone(pass, nameAttachment(attachment), () => repairOne(pass, attachment, byId.get(attachment.endpoint)));
  }
}

async function repairOne(pass: NetworkPass, attachment: Attachment, endpoint: EndpointSummary | undefined): Promise<void> {
  const namespace = findGuid(attachment.netns);
  if (namespace === undefined || !pass.look.namespaces.has(namespace)) {
    // Without an endpoint either it is a leak, which reclaimLeaks looks at.
    if (endpoint !== undefined) await removeWithoutSandbox(pass, attachment);
  } else if (endpoint === undefined) await remake(pass, attachment, namespace);
  else if (isElsewhere(pass, endpoint, namespace) || pass.inspect(attachment)) await inspectEndpoint(pass, attachment, namespace);
}

/** Version 1 of the interface, whose list this is, does not tell namespaces on every Windows: then no endpoint has one. */
function isElsewhere({ look }: NetworkPass, endpoint: EndpointSummary, namespace: Guid): boolean {
  if (endpoint.namespace !== undefined) return endpoint.namespace !== namespace;
  return look.endpoints.some((other) => other.namespace !== undefined);
}

async function remake(pass: NetworkPass, attachment: Attachment, namespace: Guid): Promise<void> {
  const detail = "HNS has lost the endpoint of a pod that runs";
  const subject = nameAttachment(attachment);
  const config = findPodConfig(pass, attachment);
  if (config !== undefined && !(await isLeased(pass, config))) {
    await act(pass, { action: "endpoint", subject, detail }, () => remakeEndpoint(startOperation(pass, config), attachment, namespace));
    return;
  }
  const why = config === undefined ? "what its ADD asked for is not known here" : "a DHCP server leased its address";
  const more = `${detail}, and ${why}: delete the pod so that it is attached anew`;
  note(pass, { action: "difference", outcome: "found", subject, detail: more });
}

/** Whether the pod's address is a DHCP server's to give: the network has no subnet in which to ask for it. */
async function isLeased(pass: NetworkPass, config: AttachableConfig): Promise<boolean> {
  if ("ipam" in config || config.hnsAddressed.subnets.length > 0) return false;
  return ((await pass.readNetwork())?.subnets ?? []).length === 0;
}

/** With the address, MAC and policies that it had, in its namespace. What fails half-way is found and finished by the next look. */
async function remakeEndpoint(given: Operation<AttachableConfig>, seen: Attachment, namespace: Guid): Promise<boolean> {
  const operation = await withMode(given);
  const { hcn, log } = operation;
  const take = (tx: Parameters<typeof isSame>[0]): boolean => isSame(tx, seen);
  return withAttachment(operation, seen.id, take, () =>
    hcn.withHandle(hcn.open("namespace", namespace), async (sandbox) => {
      const network = await openReadyNetwork(operation);
      try {
        const { id, version, view } = network;
        const { addresses, mac } = readPod(seen);
        const settled = view === undefined ? operation.config : settleSubnets(operation.config, view);
        const config = await withFreeMac(operation, settled, mac);
        const pod = { name: endpointName(seen), network: id, version, addresses, providerAddress: view?.providerAddress };
        const document = getDatapath(config).buildPodEndpoint(config, pod);
        const created = hcn.createEndpoint(network.handle, seen.endpoint, document);
        const endpoint = await hcn.withHandle(created, async (handle) => parseEndpoint(await hcn.query(handle)));
        operation.store.transaction((tx) => putEndpoint(tx, seen, endpoint));
        await joinSandbox(operation, endpoint, { ...seen, namespace }, sandbox);
        log.warn("endpoint made again", { endpoint: endpoint.id, namespace, container: seen.containerId });
      } finally {
        await hcn.close(network.handle);
      }
    }),
  );
}

/** With the MAC address that it had; where another endpoint has that by now it is left to HNS, also where the pod asked for it. */
async function withFreeMac(
  operation: Pick<Operation, "hcn">,
  { mac: asked, ...config }: AttachableConfig,
  before: Mac | undefined,
): Promise<AttachableConfig> {
  const mac = before ?? asked;
  return mac !== undefined && (await isFree(operation, mac)) ? { ...config, mac } : config;
}

/**
 * Whether no endpoint has the MAC address. HNS does not know that one it has lost had it, so a pod that came since can have been given it;
 * and HNS takes the same one twice, after which neither pod is reached.
 */
async function isFree({ hcn }: Pick<Operation, "hcn">, mac: Mac): Promise<boolean> {
  return (await hcn.enumerate("endpoint", { MacAddress: formatHnsMac(mac) })).length === 0;
}

/** HNS need not have taken the id that it was given, and chose the MAC address where the one of before was not free. */
function putEndpoint(tx: Parameters<typeof isSame>[0], seen: Attachment, { id, mac }: EndpointView): void {
  const current = tx.findAttachment(seen.id);
  if (current === undefined || (current.endpoint === id && readPod(current).mac === mac)) return;
  const { interfaces, ...result } = parseStoredResult(current.result);
  const renewed = interfaces.map((entry, at) => (at === 0 && mac !== undefined ? { ...entry, mac } : entry));
  tx.putAttachment({ ...current, endpoint: id, result: JSON.stringify({ interfaces: renewed, ...result }) });
}

function readPod({ result }: Attachment): { addresses: IpAddress[]; mac: Mac | undefined } {
  const { ips, interfaces } = parseStoredResult(result);
  const addresses = ips.map(({ address }) => findIp(address.split("/")[0] ?? "")).filter((ip): ip is IpAddress => ip !== undefined);
  return { addresses, mac: findMac(interfaces[0]?.mac ?? "") };
}

/** A sandbox that is gone takes no DEL any more: its endpoint keeps an address that nobody uses. */
async function removeWithoutSandbox(pass: NetworkPass, attachment: Attachment): Promise<void> {
  const finding = { action: "orphan", subject: nameAttachment(attachment), detail: "its sandbox is gone from HNS" } as const;
  if (!hasPoolAddress(pass, attachment) || (await isUsed(startOperation(pass, pass.base), attachment.endpoint))) return;
  if (!isDue(pass, finding, `${attachment.id} ${attachment.updatedAt}`)) return;
  await act(pass, finding, () => endAttachment(startOperation(pass, pass.base), attachment));
}

function hasPoolAddress({ engine }: NetworkPass, { id }: Attachment): boolean {
  return engine.store.read((tx) => tx.listOwned(id)).some(({ state }) => state === "assigned");
}
