/** Promise 4 on the packaged program: HNS carries a call out when its caller is long dead, before or after what the runtime does next. */
import type { CallRecord } from "../../emulator/model/call-log.ts";
import { ControlError } from "../../emulator/client.ts";
import type { OpenHandle } from "../../emulator/model/handles.ts";
import { expectNoSharedAddress, expectOnly, expectWorking } from "../../support/crash-expectations.ts";
import type { CrashNode, SavedNode } from "../../support/crash-node.ts";
import { explain, type Prepared, type Scenario, scenariosFor } from "../../support/crash-scenarios.ts";
import { CrashWorkers, expectPoints, isLong } from "../../support/crash-workers.ts";
import { packagedReason } from "../../support/packaged.ts";
import { describeUnless } from "../../support/skip.ts";

jest.setTimeout(isLong ? 3_600_000 : 600_000);

const LEAST_POINTS = 26;

/** Calls that change HNS; the others can come late without anybody noticing. */
const CHANGING = [
  "HcnCreateNetwork",
  "HcnCreateEndpoint",
  "HcnModifyNamespace",
  "HcnModifyEndpoint",
  "HcnModifyNetwork",
  "HcnDeleteEndpoint",
  "HNSCall",
];

interface Point {
  readonly call: string;
  readonly nth: number;
}

interface Start {
  readonly prepared: Prepared;
  readonly saved: SavedNode;
}

/** What the runtime does around the late effect, and what must be so in the end. */
interface Order {
  readonly name: string;
  run(node: CrashNode, prepared: Prepared, late: () => Promise<void>): Promise<void>;
}

const ORDERS: readonly Order[] = [
  {
    name: "DEL, the late effect, DEL",
    run: async (node, prepared, late) => {
      await node.del(prepared.pod);
      await late();
      await expectSafe(node, prepared);
      await node.del(prepared.pod);
      await settle(node, prepared);
    },
  },
  {
    name: "DEL, the late effect, GC",
    run: async (node, prepared, late) => {
      await node.del(prepared.pod);
      await late();
      await node.gc();
      await expectOnly(node, []);
    },
  },
  {
    name: "the late effect, ADD, DEL",
    run: async (node, prepared, late) => {
      await late();
      await expectWorking(node, prepared.pod, await node.add(prepared.pod));
      await node.del(prepared.pod);
      await settle(node, prepared);
    },
  },
  {
    name: "DEL, the late effect, ADD, DEL",
    run: async (node, prepared, late) => {
      await node.del(prepared.pod);
      await late();
      await expectWorking(node, prepared.pod, await node.add(prepared.pod));
      await node.del(prepared.pod);
      await settle(node, prepared);
    },
  },
];

let points = 0;

describeUnless(packagedReason(), "a call that HNS carries out after its caller died", () => {
  const workers = new CrashWorkers();
  beforeAll(() => workers.start());
  afterAll(() => workers.close());

  describe.each([false, true])("with ignoreCallerIds %s", (ignoreCallerIds) => {
    test.each(scenariosFor(ignoreCallerIds).filter(({ name }) => !["CHECK", "STATUS"].includes(name)))(
      "promise 4: what comes late of $name is settled",
      async (scenario) => {
        const start = (node: CrashNode): Promise<Start> => prepare(node, scenario, ignoreCallerIds);
        const all = await listPoints(workers.first, scenario, await start(workers.first));
        points += all.length;
        await workers.spread(all, start, (node, point, { saved, prepared }) => comeLate(node, { scenario, saved, prepared, point }));
      },
    );
  });

  test("every call that changes HNS was such a point", () => expectPoints("late completion", points, LEAST_POINTS));
});

async function prepare(node: CrashNode, scenario: Scenario, ignoreCallerIds: boolean): Promise<Start> {
  await node.reset({ ignoreCallerIds });
  const prepared = await scenario.prepare(node);
  return { prepared, saved: await node.save() };
}

async function listPoints(node: CrashNode, scenario: Scenario, { prepared, saved }: Start): Promise<Point[]> {
  await node.restore(saved);
  await scenario.run(node, prepared);
  const calls = (await node.emulator.calls()).map(({ name, args }, index) => ({ call: name, nth: index + 1, isRead: args[0] === "GET" }));
  return calls.flatMap(({ call, nth, isRead }) => (CHANGING.includes(call) && !isRead ? [{ call, nth }] : []));
}

async function comeLate(
  node: CrashNode,
  { scenario, saved, prepared, point }: Start & { scenario: Scenario; point: Point },
): Promise<void> {
  await node.restore(saved);
  await node.emulator.addFault({ call: "*", kind: "kill", nth: point.nth });
  await scenario.run(node, prepared);
  const call = (await node.emulator.calls()).at(-1);
  const handles = await node.emulator.handles();
  if (call?.name !== point.call) throw new Error(`the last call is ${call?.name ?? "none"}`);
  const died = await node.save();
  for (const order of ORDERS) {
    await node.restore(died);
    await explain(order.name, () => order.run(node, prepared, () => carryOut(node, call, handles)));
  }
  node.forget(died);
}

/** Has HNS do `call` now. What it refuses by its own rules has no effect, and nobody is there to be told. */
async function carryOut(node: CrashNode, { name, args }: CallRecord, handles: readonly OpenHandle[]): Promise<void> {
  const objectOf = (handle: string | null | undefined): string => handles.find((open) => String(open.handle) === handle)?.id ?? "";
  const parse = (text: string | null | undefined): object => JSON.parse(text ?? "{}") as object;
  const [first, second, third] = args;
  const effects: Readonly<Record<string, () => Promise<unknown>>> = {
    HcnCreateNetwork: () => node.emulator.createNetwork(parse(second), first ?? ""),
    HcnCreateEndpoint: () => node.emulator.createEndpoint(objectOf(first), parse(third), second ?? ""),
    HcnModifyNamespace: () => node.emulator.modifyNamespace(objectOf(first), parse(second)),
    HcnDeleteEndpoint: () => node.emulator.deleteEndpoint(first ?? ""),
    HNSCall: () => node.emulator.hnsCall(first ?? "", second ?? "", parse(third)),
  };
  const effect = effects[name];
  if (effect === undefined) throw new Error(`no late effect is known for ${name}`);
  try {
    await effect();
  } catch (thrown) {
    if (!(thrown instanceof ControlError) || thrown.hresult === undefined) throw thrown;
  }
}

/** What a late endpoint holds is not on its way to another pod: the next ADD gets another address. */
async function expectSafe(node: CrashNode, prepared: Prepared): Promise<void> {
  const died = await node.save();
  const next = await node.pod("next");
  await expectWorkingBeside(node, next);
  await node.restore(died);
  await prepared.settle?.(node);
}

async function expectWorkingBeside(node: CrashNode, next: Prepared["pod"]): Promise<void> {
  const result = await node.add(next);
  const mine = result.ips.map(({ address }) => address);
  const others = (await node.emulator.endpoints()).filter(({ name }) => !name.startsWith(`${next.container}_`));
  expect(others.flatMap(({ addresses }) => addresses).filter((address) => mine.includes(address))).toEqual([]);
}

async function settle(node: CrashNode, prepared: Prepared): Promise<void> {
  await prepared.settle?.(node);
  await expectOnly(node, prepared.others);
  await expectNoSharedAddress(node);
}
