import { PluginError } from "../../base/errors.ts";
import type { Guid } from "../../base/ids.ts";
import { findIp } from "../../base/ip.ts";
import type { AttachableConfig } from "../../config/plugin-config.ts";
import type { PodEndpoint } from "../../datapath/datapath.ts";
import { getDatapath } from "../../datapath/datapaths.ts";
import { type EndpointView, parseEndpoint } from "../../hcn/documents.ts";
import { isNotFound } from "../../hcn/hresults.ts";
import type { Attachment } from "../attachment.ts";
import { compareRoutes, findMissingPolicies, listUsers, wantedRoutes } from "../check.ts";
import { parseHnsVersion } from "../ensure-network.ts";
import { parseStoredResult } from "../pod-result.ts";
import { joinSandbox } from "../sandbox.ts";
import { settleSubnets } from "../settle-subnets.ts";
import { withMode } from "../with-mode.ts";
import { act, findPodConfig, isSame, nameAttachment, note, type NetworkPass, startOperation, withAttachment } from "./pass.ts";
import { buildCorrections } from "./policy-corrections.ts";

/** HcnModifyEndpoint changes policies and ports; a new endpoint would cut the pod's connections, and that is not ours to decide. */
const ROUTE_REMEDY = "HNS cannot change the routes of an endpoint that stands: delete the pod so that it is attached anew";

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
  if (config !== undefined) await compareDetails(pass, attachment, { endpoint, config });
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

async function compareDetails(
  pass: NetworkPass,
  attachment: Attachment,
  { endpoint, config: given }: { endpoint: EndpointView; config: AttachableConfig },
): Promise<void> {
  const { config } = await withMode(startOperation(pass, given));
  const datapath = getDatapath(config);
  const network = datapath.needs.providerAddress || !("ipam" in config) ? await pass.readNetwork() : undefined;
  const settled = network === undefined ? config : settleSubnets(config, network);
  const pod = { ...readPod(pass, attachment), providerAddress: network?.providerAddress };
  const subject = nameAttachment(attachment);
  const missing = findMissingPolicies(endpoint, datapath.listPodPolicies(settled, pod), listUsers(settled));
  if (missing.length > 0) {
    const detail = `the endpoint lacks ${missing.map(({ Type }) => Type).join(", ")}`;
    const requests = buildCorrections(endpoint, missing);
    await act(pass, { action: "policies", subject, detail }, () => putBack(pass, attachment, requests));
  }
  for (const detail of compareRoutes(wantedRoutes(settled, parseStoredResult(attachment.result), pod.addresses), endpoint))
    note(pass, { action: "difference", outcome: "found", subject, detail: `${detail}; ${ROUTE_REMEDY}` });
}

function readPod({ record }: NetworkPass, { result }: Attachment): Pick<PodEndpoint, "addresses" | "version"> {
  const addresses = parseStoredResult(result).ips.flatMap(({ address }) => findIp(address.split("/")[0] ?? "") ?? []);
  return { addresses, version: parseHnsVersion(record.hnsVersion) };
}

/** Every request is tried; throws the first refusal once all were. */
function putBack(pass: NetworkPass, seen: Attachment, requests: readonly object[]): Promise<boolean> {
  const operation = startOperation(pass, pass.base);
  const { hcn } = operation;
  return withAttachment(
    operation,
    seen.id,
    (tx) => isSame(tx, seen),
    () =>
      hcn.withHandle(hcn.open("endpoint", seen.endpoint), async (handle) => {
        const refusals: PluginError[] = [];
        for (const request of requests) {
          await hcn.modify(handle, request).catch((thrown: unknown) => {
            if (!(thrown instanceof PluginError && thrown.code === "HNS_REFUSED")) throw thrown;
            refusals.push(thrown);
          });
        }
        const [first] = refusals;
        if (first !== undefined) throw first;
      }),
  );
}
