/** Promise 4 with an agent: it is killed before and after every HCN call of an ADD; the next agent answers rightly and leaves nothing. */
import { AgentProcess } from "../../support/agent-process.ts";
import { CniNode, type Pod } from "../../support/cni-node.ts";
import { expectNothingLeft } from "../../support/leftovers.ts";
import { type CniProgram, describeProgram, linux } from "../../support/programs.ts";

jest.setTimeout(300_000);

/** Calls of a first ADD and of one on a verified network, before and after each. */
const LEAST_POINTS = 54;

describeProgram(linux, "an agent that is killed at an HCN call of an ADD", () => {
  let node: CniNode;
  let agent: AgentProcess;
  let points = 0;
  const overSocket: CniProgram = { ...linux, name: "the agent", run: (call) => agent.call(call) };

  beforeAll(async () => {
    node = await CniNode.start(overSocket);
  });
  afterAll(() => node.close());

  const start = (reconcile: object): Promise<AgentProcess> =>
    AgentProcess.start({ address: node.emulator.address, stateDir: node.stateDir, config: { reconcile } });

  /** A fresh node; with a network that is verified or none. Gives the pod that is to be added. */
  async function prepare(kind: "first" | "next"): Promise<Pod> {
    await node.renew();
    agent = await start({ enabled: false });
    if (kind === "next") {
      const other = await node.makePod();
      await node.add(other);
      await node.callSilently("DEL", other);
    }
    await node.emulator.clearCalls();
    return node.makePod();
  }

  async function countCalls(kind: "first" | "next"): Promise<number> {
    await node.add(await prepare(kind));
    const calls = (await node.emulator.calls()).filter(({ name }) => name !== "HnsEmulatorHost");
    await agent.end();
    return calls.length;
  }

  /** Kills the agent at the nth call of the ADD; whoever waits for the answer gets none. */
  async function killAt(pod: Pod, nth: number, fault: "kill" | "kill-after"): Promise<void> {
    await node.emulator.addFault({ call: "*", kind: fault, nth });
    const answer = await node.call("ADD", pod).then(
      () => "answered",
      () => "none",
    );
    await agent.ended();
    // A close comes after the answer is settled or before: either is right, and a success must then hold.
    expect(["answered", "none"]).toContain(answer);
    expect((await node.emulator.faults()).map(({ seen }) => seen)).toEqual([nth]);
    await agent.end("SIGKILL");
    await node.emulator.clearFaults();
    await node.emulator.clearHandles(); // Windows closes those of a process that ended
  }

  it.each(["first", "next"] as const)("the %s ADD: ADD again is right, and DEL leaves nothing", async (kind) => {
    const calls = await countCalls(kind);
    for (let nth = 1; nth <= calls; nth++) {
      for (const fault of ["kill", "kill-after"] as const) {
        points++;
        const pod = await prepare(kind);
        await killAt(pod, nth, fault);
        agent = await start({ enabled: false });
        const result = await node.add(pod);
        expect({ nth, fault, addresses: result.ips.length }).toEqual({ nth, fault, addresses: 1 });
        expect(await node.add(pod)).toEqual(result);
        await node.callSilently("CHECK", pod, { prevResult: result });
        await node.callSilently("DEL", pod);
        await agent.end();
        await expectNothingLeft(node);
      }
    }
  });

  it("without any further call the next agent takes it back by itself", async () => {
    const calls = await countCalls("next");
    for (let nth = 1; nth <= calls; nth++) {
      points++;
      const pod = await prepare("next");
      await killAt(pod, nth, "kill-after");
      const wasAnswered = node.state().attachments.some(({ container, phase }) => container === pod.containerId && phase === "attached");
      agent = await start({ intervalSeconds: 1, graceSeconds: 0 });
      await agent.looks(2);
      if (wasAnswered) await node.callSilently("DEL", pod);
      await agent.end();
      await expectNothingLeft(node);
    }
  });

  it("every call was such a point", () => expect(points).toBeGreaterThanOrEqual(LEAST_POINTS));
});
