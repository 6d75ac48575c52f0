import type { Guid } from "../../base/ids.ts";
import type { PluginConfig } from "../../config/plugin-config.ts";
import type { PodEndpoint } from "../../datapath/datapath.ts";
import { getDatapath } from "../../datapath/datapaths.ts";
import { buildPolicyRequest, type EndpointView, parseEndpoint, parseNetwork, type PolicyDocument } from "../../hcn/documents.ts";
import { isNotFound } from "../../hcn/hresults.ts";
import type { Attachment } from "../attachment.ts";
import { compareRoutes, findMissingPolicies, listUsers, wantedRoutes } from "../check.ts";
import { parseHnsVersion } from "../ensure-network.ts";
import { findIp } from "../../base/ip.ts";
import type { Operation } from "../operation.ts";
import { parseStoredResult } from "../pod-result.ts";
import { joinSandbox } from "../sandbox.ts";
import { withMode } from "../with-mode.ts";
import { act, findPodConfig, isSame, nameAttachment, note, type NetworkPass, startOperation, withAttachment } from "./pass.ts";

/** Compares the endpoint of a pod with what its ADD made: namespace, policies, routes. What can be put right in place is. */
export async function inspectEndpoint(pass: NetworkPass, attachment: Attachment, namespace: Guid): Promise<void> {
  const endpoint = await describe(pass, attachment);
  if (endpoint === undefined) return; // gone since: the next look sees to it
  const subject = nameAttachment(attachment);
  if (endpoint.namespace === undefined) {
    const finding = { action: "rejoin", subject, detail: "the endpoint is in no namespace" } as const;
    await act(pass, finding, () => rejoin(pass, attachment, namespace));
  } else if (endpoint.namespace !== namespace) {
    const detail = `the endpoint is in namespace ${endpoint.namespace}, and its pod in ${namespace}`;
    note(pass, { action: "difference", outcome: "found", subject, detail });
  }
  const config = findPodConfig(pass, attachment);
  if (config !== undefined) await comparePolicies(pass, attachment, { endpoint, config });
}

async function describe(pass: NetworkPass, { endpoint }: Attachment): Promise<EndpointView | undefined> {
  try {
    return parseEndpoint(await startOperation(pass, pass.base).hcn.describe("endpoint", endpoint));
  } catch (thrown) {
    if (!isNotFound(thrown)) throw thrown;
    return undefined;
  }
}

function rejoin(pass: NetworkPass, seen: Attachment, namespace: Guid): Promise<boolean> {
  const operation = startOperation(pass, pass.base);
  const { hcn } = operation;
  return withAttachment(
    operation,
    seen.id,
    (tx) => isSame(tx, seen),
    () =>
      hcn.withHandle(hcn.open("namespace", namespace), (handle) =>
        joinSandbox(operation, { id: seen.endpoint }, { ...seen, namespace }, handle),
      ),
  );
}

async function comparePolicies(
  pass: NetworkPass,
  attachment: Attachment,
  { endpoint, config: given }: { endpoint: EndpointView; config: PluginConfig },
): Promise<void> {
  const { config, scan, hcn } = await withMode(startOperation(pass, given));
  const datapath = getDatapath(config);
  const pod = readPod(pass, attachment);
  const providerAddress = datapath.needs.providerAddress ? await findProviderAddress({ scan, hcn }) : undefined;
  const subject = nameAttachment(attachment);
  const missing = findMissingPolicies(endpoint, datapath.listPodPolicies(config, { ...pod, providerAddress }), listUsers(config));
  if (missing.length > 0) {
    const detail = `the endpoint lacks ${missing.map(({ Type }) => Type).join(", ")}`;
    await act(pass, { action: "policies", subject, detail }, () => putBack(pass, attachment, { endpoint, missing }));
  }
  for (const detail of compareRoutes(wantedRoutes(config, parseStoredResult(attachment.result), pod.addresses), endpoint))
    note(pass, { action: "difference", outcome: "found", subject, detail });
}

/** The node's address on the network, as HNS has it now. */
async function findProviderAddress({ scan, hcn }: Pick<Operation, "scan" | "hcn">): Promise<string | undefined> {
  const id = await scan.findNetwork();
  return id === undefined ? undefined : parseNetwork(await hcn.describe("network", id)).providerAddress;
}

function readPod({ record }: NetworkPass, { result }: Attachment): Pick<PodEndpoint, "addresses" | "version"> {
  const addresses = parseStoredResult(result).ips.flatMap(({ address }) => findIp(address.split("/")[0] ?? "") ?? []);
  return { addresses, version: parseHnsVersion(record.hnsVersion) };
}

/** Of these an endpoint has one: another of the type is replaced. Of all others it can have many, and those of later plugins stay. */
const SINGLE: readonly string[] = ["OutBoundNAT"];

function putBack(
  pass: NetworkPass,
  seen: Attachment,
  { endpoint, missing }: { endpoint: EndpointView; missing: readonly PolicyDocument[] },
): Promise<boolean> {
  const operation = startOperation(pass, pass.base);
  const { hcn } = operation;
  const isReplacing = ({ Type }: PolicyDocument): boolean => SINGLE.includes(Type) && endpoint.policies.some(({ type }) => type === Type);
  const requests = [
    ...group("Update", missing.filter(isReplacing)),
    ...group(
      "Add",
      missing.filter((policy) => !isReplacing(policy)),
    ),
  ];
  return withAttachment(
    operation,
    seen.id,
    (tx) => isSame(tx, seen),
    () =>
      hcn.withHandle(hcn.open("endpoint", seen.endpoint), async (handle) => {
        for (const request of requests) await hcn.modify(handle, request);
      }),
  );
}

function group(type: "Add" | "Update", policies: readonly PolicyDocument[]): object[] {
  return policies.length === 0 ? [] : [buildPolicyRequest(type, policies)];
}
