/** What a node holds that it should not once its pods are gone. */
import type { CniNode, Pod } from "./cni-node.ts";

/**
 * Throws unless nothing of any pod is left: no endpoint but the node's own, no row but finished ones, no address in use, no lease,
 * no open handle. The network and its host endpoint, where there were any, must still stand.
 */
export async function expectNothingLeft(node: CniNode, network: "kept" | "never made" = "kept"): Promise<void> {
  const { emulator, list } = node;
  const { attachments, addresses, leases } = node.state();
  const [endpoints, networks, handles, namespaces] = [
    await emulator.endpoints(),
    await emulator.networks(),
    await emulator.handles(),
    await emulator.namespaces(),
  ];
  const kept = network === "kept";
  expect({
    endpoints: endpoints.map(({ name, hostCompartment, forwarding }) => ({ name, hostCompartment, ...(isLinux(node) && { forwarding }) })),
    networks: networks.map(({ name }) => name),
    members: namespaces.flatMap((namespace) => namespace.endpoints),
    phases: attachments.map(({ phase }) => phase).filter((phase) => phase !== "gone"),
    addresses: addresses.map(({ state }) => state).filter((state) => state !== "cooling" && state !== "free"),
    leases,
    handles,
  }).toEqual({
    endpoints: kept ? [{ name: `${list.name}_ep`, hostCompartment: 1, ...(isLinux(node) && { forwarding: true }) }] : [],
    networks: kept ? [list.name] : [],
    members: [],
    phases: [],
    addresses: [],
    leases: 0,
    handles: [],
  });
}

/** Under Wine forwarding is a matter of Wine's own interfaces, of which HNS's emulator knows nothing. */
function isLinux(node: CniNode): boolean {
  return node.program.path("/") === "/";
}

/** The endpoints that are in the pod's namespace. */
export async function endpointsOf(node: CniNode, pod: Pod): Promise<Awaited<ReturnType<CniNode["emulator"]["endpoints"]>>> {
  return (await node.emulator.endpoints()).filter(({ namespace }) => namespace === pod.netns);
}
