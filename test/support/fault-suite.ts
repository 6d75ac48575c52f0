import type { AttachRequest } from "../../src/core/engine/attachment.ts";
import { PluginError } from "../../src/core/base/errors.ts";
import { KilledError } from "../emulator/model-backend.ts";
import type { FaultKind } from "../emulator/model/faults.ts";
import { EngineFixture, type EngineFixtureOptions, LATE_MS } from "./engine-fixture.ts";
import type { CommitFault, TestProcess } from "./test-process.ts";

/** A command at one point of a node's life. `prepare` gives the pod it is about; its result is the same on every run. */
interface Command {
  readonly name: string;
  prepare(node: EngineFixture): Promise<AttachRequest>;
  run(node: EngineFixture, pod: AttachRequest, process: TestProcess): Promise<unknown>;
}

const add: Command["run"] = (node, pod, process) => node.add(pod, process);

const ADDS: readonly Command[] = [
  { name: "the first ADD of the node", prepare: async (node) => node.pod("c1"), run: add },
  { name: "an ADD on a verified network", prepare: async (node) => (await attached(node, "other"), node.pod("c1")), run: add },
  { name: "a repeated ADD", prepare: (node) => attached(node, "c1"), run: add },
  { name: "an ADD whose network was removed", prepare: withoutNetwork, run: add },
];

const REMOVALS: readonly Command[] = [
  { name: "DEL", prepare: (node) => attached(node, "c1"), run: (node, pod, process) => node.del(pod, process) },
  { name: "DEL of an unknown attachment", prepare: async (node) => node.pod("c1"), run: (node, pod, process) => node.del(pod, process) },
  { name: "GC", prepare: withStray, run: (node, _pod, process) => node.gc([], process) },
];

const READERS: readonly Command[] = [
  { name: "CHECK", prepare: (node) => attached(node, "c1"), run: (node, pod, process) => node.check(pod, undefined, process) },
  { name: "STATUS", prepare: (node) => attached(node, "c1"), run: (node, _pod, process) => node.status(process) },
  { name: "STATUS after HNS started anew", prepare: afterRestart, run: (node, _pod, process) => node.status(process) },
];

const KINDS: readonly FaultKind[] = ["fail", "fail-after", "late", "hang", "hang-after", "restart", "restart-after", "kill", "kill-after"];
const COMMIT_FAULTS: readonly CommitFault[] = ["fail-before", "fail-after", "kill-before", "kill-after"];

/** The node on which the commands meet the faults. */
export interface FaultSubject {
  readonly options: EngineFixtureOptions;
  /** All calls and transactions of a command, also where HNS chooses the ids; or one call of each export. */
  readonly calls: "all" | "one of each";
  /** How many points there were when this was written. Fewer means that a suite looks at less than it did. */
  readonly leastCallPoints: number;
  readonly leastCommitPoints: number;
}

interface Point {
  readonly subject: FaultSubject;
  readonly command: Command;
  readonly at: number;
  readonly kind: FaultKind;
  readonly ignoreCallerIds: boolean;
}

/** Defines the tests: every command meets every fault at every call and transaction, one at a time. */
export function testFaultPoints(subject: FaultSubject): void {
  const counts = { calls: 0, commits: 0 };
  const idChoices = subject.calls === "all" ? [false, true] : [false];
  if (subject.calls === "all") testTransactions(subject, counts);

  describe.each(idChoices)("with ignoreCallerIds %s, whatever happens at an HCN call,", (ignoreCallerIds) => {
    test.each(ADDS)("promises 2 and 4: $name leaves nothing that DEL does not clean up", async (command) => {
      for (const point of await listPoints(subject, command, ignoreCallerIds)) {
        await explain(point, async () => {
          await withFault(counts, point, async (node, pod, { failure, before }) => {
            if (isFailure(failure)) expectTakenBack(node, pod, before);
            else if (failure === undefined) await expectAttached(node, pod);
            await node.release(LATE_MS);
            expectNoFreeAddressInUse(node);
            await node.del(pod);
            expectClean(node, point);
          });
        });
      }
    });

    test.each(ADDS)("promise 4: $name can be repeated and then works", async (command) => {
      for (const point of await listPoints(subject, command, ignoreCallerIds)) {
        await explain(point, () =>
          withFault(counts, point, async (node, pod) => {
            await node.release(LATE_MS);
            await node.add(pod);
            await expectAttached(node, pod);
            await node.del(pod);
            expectClean(node, point);
          }),
        );
      }
    });

    test.each(ADDS)("promise 4: what HNS does of $name after its DEL is removed by GC", async (command) => {
      for (const point of (await listPoints(subject, command, ignoreCallerIds)).filter(({ kind }) => kind === "late")) {
        await explain(point, () =>
          withFault(counts, point, async (node, pod) => {
            await node.del(pod);
            await node.release(LATE_MS);
            await node.gc(validOthers(node, pod));
            expectClean(node, point);
          }),
        );
      }
    });

    test.each(REMOVALS)("promise 3: $name can be repeated and then leaves nothing", async (command) => {
      for (const point of await listPoints(subject, command, ignoreCallerIds)) {
        await explain(point, () =>
          withFault(counts, point, async (node, pod, { failure }) => {
            expectNoFreeAddressInUse(node);
            if (failure === undefined && point.kind !== "late") expectClean(node, point);
            await node.release(LATE_MS);
            await command.run(node, pod, node.spawn());
            expectClean(node, point);
          }),
        );
      }
    });

    test.each(READERS)("$name changes nothing and can be repeated", async (command) => {
      for (const point of await listPoints(subject, command, ignoreCallerIds)) {
        await explain(point, () =>
          withFault(counts, point, async (node, pod, { before }) => {
            await node.release(LATE_MS);
            expect(look(node)).toEqual(before);
            await command.run(node, pod, node.spawn());
            expect(look(node)).toEqual(before);
          }),
        );
      }
    });
  });

  test("as many points were looked at as ever", () => {
    expect(counts.calls).toBeGreaterThanOrEqual(subject.leastCallPoints);
    expect(counts.commits).toBeGreaterThanOrEqual(subject.leastCommitPoints);
  });
}

function testTransactions(subject: FaultSubject, counts: { commits: number }): void {
  describe.each([false, true])("with ignoreCallerIds %s, whatever happens at a transaction,", (ignoreCallerIds) => {
    test.each([...ADDS, ...REMOVALS])("promise 4: after $name DEL leaves nothing, and ADD works", async (command) => {
      const total = await countTransactions(subject, command, ignoreCallerIds);
      for (let at = 1; at <= total; at++) {
        for (const kind of COMMIT_FAULTS) {
          counts.commits += 1;
          await explain({ at, kind }, async () => {
            for (const next of ["del", "add"] as const) {
              const node = makeNode(subject, ignoreCallerIds);
              const pod = await command.prepare(node);
              const process = node.spawn();
              process.commitFault = { at, kind };
              await command.run(node, pod, process).catch(() => undefined);
              expectNoFreeAddressInUse(node);
              if (next === "add") {
                await node.add(pod);
                await expectAttached(node, pod);
              }
              await node.del(pod);
              await node.gc(validOthers(node, pod));
              expectOnlyOthers(node, pod);
              node.close();
            }
          });
        }
      }
    });
  });
}

function makeNode({ options }: FaultSubject, ignoreCallerIds: boolean): EngineFixture {
  return new EngineFixture({ ...options, settings: { ...options.settings, ignoreCallerIds } });
}

/** Where HNS chooses the addresses, none is in the state. */
function hasOwnAddresses({ config }: EngineFixture): boolean {
  return "ipam" in config;
}

async function attached(node: EngineFixture, containerId: string): Promise<AttachRequest> {
  const pod = node.pod(containerId);
  await node.add(pod);
  return pod;
}

async function withoutNetwork(node: EngineFixture): Promise<AttachRequest> {
  await node.del(await attached(node, "c0"));
  node.model.world.endpoints.clear();
  node.model.world.networks.clear();
  return node.pod("c1");
}

/** One attachment that the runtime no longer knows, and the endpoint of one whose record was lost. */
async function withStray(node: EngineFixture): Promise<AttachRequest> {
  const pod = await attached(node, "c1");
  const stray = await attached(node, "c2");
  const row = node.attachment(stray);
  if (row !== undefined) node.store.transaction((tx) => tx.putAttachment({ ...row, phase: "gone" }));
  return pod;
}

async function afterRestart(node: EngineFixture): Promise<AttachRequest> {
  const pod = await attached(node, "c1");
  node.model.restart({ loseEndpoints: false });
  return pod;
}

/** Every fault at every call the command makes, found by running it. */
async function listPoints(subject: FaultSubject, command: Command, ignoreCallerIds: boolean): Promise<Point[]> {
  const node = makeNode(subject, ignoreCallerIds);
  const pod = await command.prepare(node);
  node.clearCalls();
  await command.run(node, pod, node.spawn());
  const calls = node.calls();
  node.close();
  const places = calls.flatMap((name, index) => (subject.calls === "all" || calls.indexOf(name) === index ? [index + 1] : []));
  return places.flatMap((at) => KINDS.map((kind) => ({ subject, command, at, kind, ignoreCallerIds })));
}

async function countTransactions(subject: FaultSubject, command: Command, ignoreCallerIds: boolean): Promise<number> {
  const node = makeNode(subject, ignoreCallerIds);
  const pod = await command.prepare(node);
  const process = node.spawn();
  await command.run(node, pod, process);
  node.close();
  return process.transactions;
}

type Outcome = { readonly failure: unknown; readonly before: ReturnType<typeof look> };

/** Runs the command with the fault, which no later call meets, and lets `inspect` see what it left. */
async function withFault(
  counts: { calls: number },
  point: Point,
  inspect: (node: EngineFixture, pod: AttachRequest, outcome: Outcome) => Promise<void>,
): Promise<void> {
  counts.calls += 1;
  const node = makeNode(point.subject, point.ignoreCallerIds);
  const pod = await point.command.prepare(node);
  const before = look(node);
  node.clearCalls();
  node.model.faults.add({ call: "*", nth: point.at, kind: point.kind, ms: LATE_MS });
  const failure = await point.command.run(node, pod, node.spawn()).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(node.model.faults.list()[0]?.seen).toBeGreaterThanOrEqual(point.at);
  if (point.kind.startsWith("kill")) expect(failure).toBeInstanceOf(KilledError);
  else if (failure !== undefined) expect(failure).toBeInstanceOf(PluginError);
  node.model.faults.clear();
  await inspect(node, pod, { failure, before });
  node.close();
}

/** What a failed command must not change. */
function look(node: EngineFixture): { endpoints: unknown; addresses: unknown; attachments: unknown } {
  const { addresses, attachments } = node.held();
  const attempt = attachments.map((row) => ({ ...row, updated_at: "", sum: "" }));
  return { endpoints: structuredClone(node.podEndpoints()), addresses, attachments: attempt };
}

function isFailure(failure: unknown): boolean {
  return failure !== undefined && !(failure instanceof KilledError);
}

/** Either all is as it was, or the attachment is marked for the next DEL and its address kept from everybody. */
function expectTakenBack(node: EngineFixture, pod: AttachRequest, before: Outcome["before"]): void {
  const row = node.attachment(pod);
  if (row?.phase !== "deleting") {
    expect(look(node)).toEqual(before);
    return;
  }
  const own = node.rows("addresses").filter(({ owner }) => owner === row.id);
  expect(own.map(({ state }) => state)).toEqual(hasOwnAddresses(node) ? ["quarantined"] : []);
  expectNoFreeAddressInUse(node);
}

async function expectAttached(node: EngineFixture, pod: AttachRequest): Promise<void> {
  const endpoint = node.endpointOf(pod);
  const own = node.rows("addresses").filter(({ owner }) => owner === node.attachment(pod)?.id && owner !== "");
  const reserved = own.filter(({ state }) => state === "assigned").map(({ address }) => address);
  expect(endpoint?.addresses.map(({ address }) => address)).toEqual(hasOwnAddresses(node) ? reserved : [anyText()]);
  expect(own.filter(({ state }) => state === "quarantined")).toEqual([]);
  expect(node.podEndpoints().filter(({ name }) => name === endpoint?.name)).toHaveLength(1);
  await node.check(pod);
}

/** Promise 6: an address that an endpoint has is never on the way to another pod. */
function expectNoFreeAddressInUse(node: EngineFixture): void {
  if (!hasOwnAddresses(node)) return;
  const held = new Set(node.held().addresses.map(({ address }) => address));
  const used = node.podEndpoints().flatMap(({ addresses }) => addresses.map(({ address }) => address));
  expect(used.filter((address) => !held.has(address))).toEqual([]);
}

function expectClean(node: EngineFixture, point: Point): void {
  expectOnlyOthers(node, { network: "pods", containerId: "c1", ifname: "eth0" });
  if (point.kind.startsWith("kill")) return; // the handles of a dead process are Windows' to close
  const isClose = node.model.log.list().some(({ name, fault }) => name.startsWith("HcnClose") && fault !== null);
  expect(node.model.handles.list()).toHaveLength(
    isClose && !["fail-after", "hang-after", "late", "restart", "restart-after"].includes(point.kind) ? 1 : 0,
  );
}

/** Nothing is left of `pod`; the other pod of some commands stands. */
function expectOnlyOthers(node: EngineFixture, pod: Pick<AttachRequest, "network" | "containerId" | "ifname">): void {
  const others = validOthers(node, pod);
  const { addresses, attachments, leases } = node.held();
  expect(attachments.map(({ container }) => container)).toEqual(others.map(({ containerId }) => containerId));
  expect(addresses.map(({ state }) => state)).toEqual(hasOwnAddresses(node) ? others.map(() => "assigned") : []);
  expect(node.podEndpoints().map(({ name }) => name)).toEqual(others.map(({ containerId }) => `${containerId}_pods`));
  expect(leases).toEqual([]);
}

function validOthers(node: EngineFixture, pod: Pick<AttachRequest, "containerId">): { containerId: string; ifname: string }[] {
  const rows = node
    .rows("attachments")
    .filter(({ phase, container }) => phase === "attached" && container === "other" && container !== pod.containerId);
  return rows.map(({ container }) => ({ containerId: String(container), ifname: "eth0" }));
}

/** Names the point in the failure of an expectation. */
async function explain(point: { at: number; kind: string }, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    const reason = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    throw new Error(`at ${point.at}, ${point.kind}: ${reason}`, { cause: thrown });
  }
}

function anyText(): unknown {
  return expect.any(String);
}
