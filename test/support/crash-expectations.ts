/** What must hold of a node after a crash, read from HNS and from the state side by side. */
import { type AddResult, type CrashNode, NETWORK, type Pod } from "./crash-node.ts";

/** An endpoint of a scenario that the state cannot know of. */
const STRAY = `stray_${NETWORK}`;

/** Only `standing` is left: nothing else in HNS, no address of others held, no other attachment unfinished, no lease. */
export async function expectOnly(node: CrashNode, standing: readonly Pod[]): Promise<void> {
  const names = standing.map(({ container }) => container).sort();
  const endpoints = await node.podEndpoints();
  const attachments = node.rows("attachments").filter(({ phase }) => phase !== "gone");
  const held = node.rows("addresses").filter(({ state }) => state === "assigned" || state === "quarantined");
  expect({
    endpoints: endpoints.map(({ name }) => name).sort(),
    attachments: attachments.map(({ container, phase }) => `${String(container)} ${String(phase)}`).sort(),
    addresses: held.map(({ address, state }) => `${String(address)} ${String(state)}`).sort(),
    leases: node.rows("leases"),
  }).toEqual({
    endpoints: names.map((name) => `${name}_${NETWORK}`),
    attachments: names.map((name) => `${name} attached`),
    addresses: endpoints.flatMap(({ addresses }) => addresses.map((address) => `${withoutPrefix(address)} assigned`)).sort(),
    leases: [],
  });
}

/** No process but `dead` has left a handle open: Windows closes those of a dead process, and only those. */
export async function expectNoHandles(node: CrashNode, dead: ReadonlySet<number> = new Set()): Promise<void> {
  expect((await node.emulator.handles()).filter(({ pid }) => !dead.has(pid))).toEqual([]);
}

/** The pod's endpoint is the one of its name, in its namespace, with the result's address, which is its own in the state. */
export async function expectWorking(node: CrashNode, pod: Pod, result: AddResult): Promise<void> {
  const named = (await node.podEndpoints()).filter(({ name }) => name === `${pod.container}_${NETWORK}`);
  expect(named.map(({ addresses, namespace }) => ({ addresses, namespace }))).toEqual([
    { addresses: result.ips.map(({ address }) => address), namespace: pod.netns },
  ]);
  const row = node.rows("attachments").find(({ container }) => container === pod.container);
  expect(row?.["phase"]).toBe("attached");
  expect(row?.["endpoint"]).toBe(named[0]?.id.toLowerCase());
  const own = node.rows("addresses").filter(({ owner, state }) => owner === row?.["id"] && state !== "cooling");
  expect(own.map(({ address, state }) => ({ address, state }))).toEqual(
    result.ips.map(({ address }) => ({ address: withoutPrefix(address), state: "assigned" })),
  );
  await expectNoSharedAddress(node);
}

/** Promise 6: no two endpoints have one address, and every address of a pod's endpoint is held by somebody in the state. */
export async function expectNoSharedAddress(node: CrashNode): Promise<void> {
  const used = (await node.emulator.endpoints()).flatMap(({ addresses }) => addresses.map(withoutPrefix));
  expect([...new Set(used)].sort()).toEqual([...used].sort());
  const known = (await node.podEndpoints()).filter(({ name }) => name !== STRAY);
  const pods = known.flatMap(({ addresses }) => addresses.map(withoutPrefix));
  const held = new Set(
    node.rows("addresses").flatMap(({ address, state }) => (state === "assigned" || state === "quarantined" ? [address] : [])),
  );
  expect(pods.filter((address) => !held.has(address))).toEqual([]);
}

export function withoutPrefix(address: string): string {
  return address.split("/")[0] ?? "";
}
