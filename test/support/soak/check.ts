/** What must hold on a node at rest, whatever happened before. */
import { attachmentId } from "../../../src/core/engine/attachment.ts";
import type { EmulatedEndpoint, EmulatedNamespace, EmulatedNetwork } from "../../emulator/client.ts";
import type { StateRows } from "../state-file.ts";
import { addressesOf, type SoakPod } from "./population.ts";

export interface NodeView {
  /** Name of the network of ours. */
  readonly network: string;
  readonly live: readonly Pick<SoakPod, "containerId" | "ifname" | "netns" | "result" | "mayHaveNewMac">[];
  readonly networks: readonly Pick<EmulatedNetwork, "name">[];
  readonly endpoints: readonly Pick<EmulatedEndpoint, "name" | "addresses" | "mac" | "namespace" | "hostCompartment" | "forwarding">[];
  readonly namespaces: readonly Pick<EmulatedNamespace, "id" | "endpoints">[];
  readonly rows: StateRows;
  /** Rows of the tables that only work under way has. */
  readonly waiting: number;
  /** Configurations kept for pods and for the network. */
  readonly requests: number;
}

/** Empty when HNS, the state and the runtime's own knowledge agree. */
export function findViolations(view: NodeView): string[] {
  return [...checkHns(view), ...checkState(view)];
}

function checkHns({ network, live, networks, endpoints, namespaces }: NodeView): string[] {
  const found: string[] = [];
  const expect = (isRight: boolean, text: string): void => {
    if (!isRight) found.push(text);
  };
  const isHost = ({ name }: { readonly name: string }): boolean => name === `${network}_ep`;
  // On a machine that started anew there is no network until a pod comes.
  expect(
    networks.length <= 1 && networks.every(({ name }) => name === network),
    `networks: ${networks.map(({ name }) => name).join(", ")}`,
  );
  expect(endpoints.filter(isHost).length === networks.length, "the node's own endpoint is missing");
  expect(
    endpoints.filter(isHost).every(({ hostCompartment, forwarding }) => hostCompartment === 1 && forwarding),
    "the node's own endpoint is not attached to it",
  );
  const rest = new Map(endpoints.filter((endpoint) => !isHost(endpoint)).map((endpoint) => [endpoint.namespace, endpoint]));
  expect(rest.size === endpoints.length - networks.length, "a namespace has two endpoints, or several endpoints are in none");
  const macs = new Set(endpoints.map(({ mac }) => mac));
  expect(macs.size === endpoints.length, `${endpoints.length} endpoints have ${macs.size} MAC addresses`);
  for (const { containerId, netns, result, mayHaveNewMac } of live) {
    const endpoint = rest.get(netns);
    rest.delete(netns);
    expect(endpoint !== undefined, `pod ${containerId} has no endpoint`);
    if (endpoint === undefined) continue;
    const said = { addresses: addressesOf(result), mac: mayHaveNewMac ? plainMac(endpoint.mac) : plainMac(result?.interfaces[0]?.mac) };
    const has = { addresses: endpoint.addresses, mac: plainMac(endpoint.mac) };
    expect(
      JSON.stringify(has) === JSON.stringify(said),
      `pod ${containerId} has ${JSON.stringify(has)} and was told ${JSON.stringify(said)}`,
    );
  }
  for (const { name, namespace } of rest.values()) found.push(`endpoint ${name} in ${namespace ?? "no namespace"} belongs to nobody`);
  const members = namespaces.reduce((sum, namespace) => sum + namespace.endpoints.length, 0);
  expect(members === live.length, `namespaces have ${members} endpoints for ${live.length} pods`);
  expect(namespaces.length === live.length, `${namespaces.length} namespaces for ${live.length} pods`);
  return found;
}

function checkState({ network, live, rows, waiting, requests }: NodeView): string[] {
  const found: string[] = [];
  const expect = (isRight: boolean, text: string): void => {
    if (!isRight) found.push(text);
  };
  const owners = new Map(live.flatMap((pod) => addressesOf(pod.result).map((address) => [address.split("/")[0], ownerOf(network, pod)])));
  for (const { address, state, owner } of rows.addresses) {
    if (state === "assigned")
      expect(owners.get(address) === owner, `address ${address} is assigned to ${owner}, which is no pod that has it`);
    if (state === "quarantined") found.push(`address ${address} of ${owner} is quarantined`);
  }
  const assigned = rows.addresses.filter(({ state }) => state === "assigned").length;
  expect(assigned === live.length, `${assigned} addresses are assigned for ${live.length} pods`);
  const standing = rows.attachments.filter(({ phase }) => phase !== "gone");
  const ids = new Set(live.map((pod) => ownerOf(network, pod)));
  for (const { id, phase } of standing) expect(phase === "attached" && ids.has(id), `attachment ${id} is ${phase} and of no pod`);
  expect(standing.length === live.length, `${standing.length} attachments for ${live.length} pods`);
  expect(rows.leases === 0, `${rows.leases} leases are left`);
  expect(waiting === 0, `${waiting} places in line are left`);
  expect(requests <= live.length + 1, `${requests} configurations are kept for ${live.length} pods and a network`);
  return found;
}

function ownerOf(network: string, { containerId, ifname }: Pick<SoakPod, "containerId" | "ifname">): string {
  return attachmentId({ network, containerId, ifname });
}

function plainMac(text: string | undefined): string {
  return (text ?? "").replaceAll(/[-:]/g, "").toLowerCase();
}
