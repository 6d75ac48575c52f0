import { PluginError } from "../base/errors.ts";
import { findGuid } from "../base/ids.ts";
import { findIp, formatCidr, formatIp, type IpAddress } from "../base/ip.ts";
import { isInSandbox } from "../cni/chained-result.ts";
import type { CniResult } from "../cni/result.ts";
import type { AttachableConfig, HostConfig } from "../config/plugin-config.ts";
import { getDatapath } from "../datapath/datapaths.ts";
import { type EndpointView, parseEndpoint, type PolicyDocument } from "../hcn/documents.ts";
import { isNotFound } from "../hcn/hresults.ts";
import { type Attachment, type AttachmentKey, attachmentId } from "./attachment.ts";
import { parseHnsVersion } from "./ensure-network.ts";
import { importNetwork } from "./import-network.ts";
import type { Operation } from "./operation.ts";
import { parseStoredResult } from "./pod-result.ts";
import { hasNamespace, ownerOf } from "./sandbox.ts";
import { withMode } from "./with-mode.ts";

export interface CheckRequest extends AttachmentKey {
  readonly netns: string;
  readonly prevResult: CniResult | undefined;
}

/**
 * CHECK. Compares the attachment in HNS with what ADD made: endpoint, namespace, addresses, gateway, policies, and the reservation
 * of the addresses. What later plugins of a chain added is no difference. Throws CHECK_FAILED, naming each difference.
 */
export async function check(given: Operation, request: CheckRequest): Promise<void> {
  const operation = await withMode(given);
  await importNetwork(operation);
  await compareAttachment(operation, request);
}

/** The attachment, when it stands. Throws CHECK_FAILED when it does not. */
export function requireAttached(operation: Operation<HostConfig>, key: AttachmentKey): Attachment {
  const existing = operation.store.read((tx) => tx.findAttachment(attachmentId(key)));
  if (existing?.phase === "attached") return existing;
  throw failed([`the attachment is ${existing === undefined ? "unknown" : `in phase "${existing.phase}"`}`]);
}

/** CHECK of an attachment whose network is known. */
export async function compareAttachment(operation: Operation<AttachableConfig>, given: CheckRequest): Promise<void> {
  const request = ownerOf(given);
  const id = attachmentId(request);
  const existing = requireAttached(operation, request);
  const { owned, version } = operation.store.read((tx) => ({
    owned: tx.listOwned(id).flatMap((record) => (record.state === "assigned" ? [record.address] : [])),
    version: tx.findNetwork(request.network)?.hnsVersion ?? "",
  }));
  const endpoint = await describe(operation, existing);
  const result = parseStoredResult(existing.result);
  const addresses = addressesOf(result);
  const { config } = operation;
  const policies = getDatapath(config).listPodPolicies(config, { addresses, version: parseHnsVersion(version) });
  const differences = [
    ...(hasNamespace(existing.netns) ? compareNamespace(endpoint, request.netns) : []),
    ...compareAddresses(endpoint, addresses, "the result of ADD"),
    ...compareAddresses(endpoint, addressesOf(request.prevResult, given), "prevResult"),
    ...compareRoutes(wantedRoutes(config, result, addresses), endpoint),
    ...comparePolicies(endpoint, policies, listUsers(config)),
    ...(isOurAddress(config) ? compareReservation(owned, addresses) : []), // others check their own
  ];
  if (differences.length > 0) throw failed([...new Set(differences)]);
}

async function describe(operation: Operation<HostConfig>, existing: Attachment): Promise<EndpointView> {
  try {
    return parseEndpoint(await operation.hcn.describe("endpoint", existing.endpoint));
  } catch (thrown) {
    if (!isNotFound(thrown)) throw thrown;
    throw failed([`HNS has no endpoint ${existing.endpoint}`]);
  }
}

/** The addresses of a result; with `of` only those on that interface in that sandbox: the node may have one of the same name. */
function addressesOf(result: CniResult | undefined, of?: { readonly ifname: string; readonly netns: string }): IpAddress[] {
  const ips = (result?.ips ?? []).filter((ip) => {
    const entry = ip.interface === undefined ? undefined : result?.interfaces[ip.interface];
    return of === undefined || (entry !== undefined && isInSandbox(entry, of));
  });
  return ips.map((ip) => findIp(ip.address.split("/")[0] ?? "")).filter((address) => address !== undefined);
}

function compareNamespace(endpoint: EndpointView, netns: string): string[] {
  if (endpoint.namespace !== undefined && endpoint.namespace === findGuid(netns)) return [];
  return [`the endpoint is in ${endpoint.namespace === undefined ? "no namespace" : `namespace ${endpoint.namespace}`}, wanted ${netns}`];
}

function compareAddresses(endpoint: EndpointView, wanted: readonly IpAddress[], source: string): string[] {
  const found = endpoint.addresses.map((entry) => entry.address);
  const missing = wanted.map(formatIp).filter((address) => !found.includes(address));
  return missing.map((address) => `the endpoint lacks the address ${address} of ${source} (it has ${found.join(", ") || "none"})`);
}

interface WantedRoute {
  readonly destination: string;
  readonly nextHop: string;
}

/** Those of the configuration; where HNS chose the addresses, those that ADD answered with, since HNS settled the ranges then. */
export function wantedRoutes(config: AttachableConfig, result: CniResult, addresses: readonly IpAddress[]): WantedRoute[] {
  if (!("ipam" in config)) return result.routes.flatMap(({ dst, gw }) => (gw === undefined ? [] : [{ destination: dst, nextHop: gw }]));
  const routes = getDatapath(config).podRoutes(config, addresses);
  return routes.map(({ destination, nextHop }) => ({ destination: formatCidr(destination), nextHop: formatIp(nextHop) }));
}

function isOurAddress(config: AttachableConfig): boolean {
  return "ipam" in config && config.delegated === undefined;
}

/** What is wrong with the pod's routes; empty when nothing is. */
export function compareRoutes(wanted: readonly WantedRoute[], endpoint: EndpointView): string[] {
  return wanted.flatMap(({ destination, nextHop }) => {
    const hops = endpoint.routes.filter((route) => route.destination === destination).map((route) => route.nextHop);
    if (hops.includes(nextHop)) return [];
    const name = ["0.0.0.0/0", "::/0"].includes(destination) ? "default route" : `route to ${destination}`;
    return [`the endpoint has no ${name} through ${nextHop}${hops.length === 0 ? "" : ` (it goes through ${hops.join(" and ")})`}`];
  });
}

/** The policies that users wrote themselves. */
export function listUsers({ policies }: AttachableConfig): ReadonlySet<PolicyDocument> {
  return new Set(policies.endpoint.map(({ document }) => document));
}

function comparePolicies(endpoint: EndpointView, wanted: readonly PolicyDocument[], users: ReadonlySet<PolicyDocument>): string[] {
  return findMissingPolicies(endpoint, wanted, users).map(
    (policy) => `the endpoint lacks the policy ${policy.Type} ${JSON.stringify(policy.Settings)}`,
  );
}

/** How HNS writes the policies that we make is known; of those that are users' own it is enough that there is one of the type. */
export function findMissingPolicies(
  endpoint: EndpointView,
  wanted: readonly PolicyDocument[],
  users: ReadonlySet<PolicyDocument>,
): PolicyDocument[] {
  return wanted.filter(
    (policy) =>
      !endpoint.policies.some((found) => found.type === policy.Type && (users.has(policy) || covers(found.settings, policy.Settings))),
  );
}

/** Whether `found` says all that `wanted` says; HNS may add fields of its own. */
function covers(found: unknown, wanted: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) return found === wanted;
  if (typeof found !== "object" || found === null) return false;
  const fields = new Map<string, unknown>(Object.entries(found));
  return Object.entries(wanted).every(([key, value]) => covers(fields.get(key), value));
}

function compareReservation(owned: readonly string[], wanted: readonly IpAddress[]): string[] {
  const missing = wanted.map(formatIp).filter((address) => !owned.includes(address));
  return missing.map((address) => `the address ${address} is not reserved for this attachment`);
}

function failed(differences: readonly string[]): PluginError {
  const message = `the attachment differs from what ADD made: ${differences.join("; ")}`;
  return new PluginError("CHECK_FAILED", { message, remedy: "delete the pod so that it is attached anew" });
}
