import { deadlineIn, earlier, poll } from "../base/async.ts";
import { PluginError } from "../base/errors.ts";
import { findIp, type IpAddress, isLinkLocal, width } from "../base/ip.ts";
import type { AttachableConfig, PodAddress } from "../config/plugin-config.ts";
import { getDatapath } from "../datapath/datapaths.ts";
import type { HcnHandle } from "../hcn/backend.ts";
import { buildPolicyRequest, type EndpointView, parseEndpoint } from "../hcn/documents.ts";
import type { ReadyNetwork } from "./ensure-network.ts";
import type { Operation } from "./operation.ts";

/** A DHCP server answers within seconds, or the pod's ADD is better tried again. */
const WAIT_MS = 30_000;
const POLL_MS = 500;

/** The pod's addresses: those that were asked for, else those that HNS has given the endpoint. A DHCP server's come after the attach. */
export async function settleAddresses(
  operation: Operation<AttachableConfig>,
  endpoint: EndpointView,
  claimed: readonly IpAddress[],
): Promise<{ config: AttachableConfig; addresses: readonly IpAddress[] }> {
  const { config, machine, hcn } = operation;
  if (claimed.length > 0 || "ipam" in config) return { config, addresses: claimed };
  let seen: EndpointView | undefined = endpoint;
  const deadline = earlier(deadlineIn(machine.clock, WAIT_MS), operation.deadline);
  const found = await poll(machine.clock, { deadline, intervalMs: POLL_MS }, async () => {
    const addresses = readAddresses(seen ?? parseEndpoint(await hcn.describe("endpoint", endpoint.id)));
    seen = undefined;
    return addresses.length > 0 ? addresses : undefined;
  });
  if (found === undefined) throw noAddress(config.networkName);
  return {
    config: { ...config, hnsAddressed: { ...config.hnsAddressed, addresses: found } },
    addresses: found.map(({ address }) => address),
  };
}

/** Policies that name the pod's address can be sent only once HNS has chosen it; the pod has not started yet. */
export async function addLatePolicies(
  operation: Operation<AttachableConfig>,
  handle: HcnHandle,
  endpoint: EndpointView,
  { version, view }: ReadyNetwork,
): Promise<void> {
  const { config, hcn } = operation;
  const addresses = readAddresses(endpoint).map(({ address }) => address);
  if (addresses.length === 0) return;
  const build = (known: readonly IpAddress[]): readonly { readonly Type: string; readonly Settings: object }[] =>
    getDatapath(config).buildPodPolicies(config, { addresses: known, version, providerAddress: view?.providerAddress });
  const sent = new Set(build([]).map((policy) => JSON.stringify(policy)));
  const late = build(addresses).filter((policy) => !sent.has(JSON.stringify(policy)));
  if (late.length > 0) await hcn.modify(handle, buildPolicyRequest("Add", late));
}

/** Those that HNS has given the endpoint; none that Windows made up. */
export function readAddresses(endpoint: EndpointView): PodAddress[] {
  return endpoint.addresses.flatMap(({ address: text, prefixLength }) => {
    const address = findIp(text);
    if (address === undefined || address.value === 0 || isLinkLocal(address)) return [];
    return [{ address, prefix: prefixLength ?? width(address.family) }];
  });
}

function noAddress(network: string): PluginError {
  const message = `HNS gave the pod no address on the network "${network}" within ${WAIT_MS / 1000} seconds`;
  const remedy = "check that a DHCP server answers on this network, or write an ipam section";
  return new PluginError("NETWORK_NOT_READY", { message, remedy }, { retryable: true });
}
