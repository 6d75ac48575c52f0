/** A look that repairs, whose agent is killed at each call to HNS: the next agent ends the work, and nothing is left over. */
import { type AttachRequest, endpointName } from "../../../../src/core/engine/attachment.ts";
import { Reconciler } from "../../../../src/core/engine/reconcile/reconciler.ts";
import { HOST_ENDPOINT, NETWORK } from "../../../support/engine-fixture.ts";
import { lose } from "./reclaim-kit.ts";
import { actions, GRACE_MS, ReconcileKit } from "./reconcile-kit.ts";

const LEAST_POINTS = 60;

/** What happens to a pod that is attached, or to the node. */
type Damage = (pod: AttachRequest) => void;

let kit: ReconcileKit;
let points = 0;

/** One pod whose endpoint is lost or damaged with `damage`, one whose sandbox is gone, and one whose ADD died. */
async function prepare(damage: Damage): Promise<AttachRequest> {
  kit = new ReconcileKit();
  const [pod, gone, died] = [(await kit.add("c1")).pod, (await kit.add("gone")).pod, kit.node.pod("died")];
  kit.node.model.faults.add({ call: "HcnModifyNamespace", kind: "kill-after", nth: 1 });
  await kit.node.add(died).catch(() => undefined);
  kit.node.model.faults.clear();
  lose(kit.node, gone, "namespace");
  damage(pod);
  await kit.pass({ dryRun: true });
  kit.node.clearCalls();
  return pod;
}

/** The pod as HNS has it, with the node's own endpoint, whose MAC address is HNS's to choose. */
function standing(pod: AttachRequest): unknown {
  const names = [endpointName(pod), HOST_ENDPOINT];
  const found = [...kit.node.model.world.endpoints.values()].filter(({ name }) => names.includes(name));
  const texts = (list: readonly unknown[]): string[] => list.map((entry) => JSON.stringify(entry)).sort();
  return texts(
    found.map(({ id, name, mac, addresses, policies, hostCompartment }) => [
      id,
      name,
      name === HOST_ENDPOINT ? "" : mac,
      addresses,
      texts(policies),
      hostCompartment,
    ]),
  );
}

/** Looks until what waits for the grace time is done too. */
async function repair(): Promise<void> {
  await kit.pass();
  await kit.node.clock.advance(GRACE_MS);
  await kit.pass();
}

/** What the repair costs, in calls: those of the first look, and those of the second. */
async function countCalls(damage: Damage): Promise<number> {
  await prepare(damage);
  await repair();
  const count = kit.node.calls().length;
  kit.node.close();
  return count;
}

test.each<[string, "kill" | "kill-after", Damage]>([
  ["the network and all on it is lost", "kill", () => kit.dropNetworks()],
  ["the network and all on it is lost", "kill-after", () => kit.dropNetworks()],
  ["an endpoint is lost", "kill-after", (pod) => lose(kit.node, pod, "endpoint")],
  ["policies are lost", "kill-after", (pod) => kit.endpoint(pod).policies.splice(0)],
])(
  "%s, %s at each call: all is as it was, and what is over is gone",
  async (_, kind, damage) => {
    const calls = await countCalls(damage);
    for (let nth = 1; nth <= calls; nth++) {
      points++;
      let before: unknown;
      const pod = await prepare((attached) => {
        before = standing(attached);
        damage(attached);
      });
      kit.node.model.faults.add({ call: "*", kind, nth });
      await repair().catch(() => undefined);
      kit.node.model.faults.clear();
      kit.reconciler = new Reconciler({ graceMs: GRACE_MS }); // the next agent has seen nothing yet
      await repair();
      expect([nth, standing(pod)]).toEqual([nth, before]);
      expect([nth, actions(await kit.pass())]).toEqual([nth, []]);
      await kit.node.del(pod);
      expect([nth, kit.node.podEndpoints()]).toEqual([nth, []]);
      expect([nth, kit.node.held()]).toEqual([nth, { addresses: [], attachments: [], leases: [] }]);
      expect([nth, [...kit.node.model.world.networks.values()].map(({ name }) => name)]).toEqual([nth, [NETWORK]]);
      kit.node.close();
    }
  },
  60_000,
);

test("every call was such a point", () => expect(points).toBeGreaterThanOrEqual(LEAST_POINTS));
