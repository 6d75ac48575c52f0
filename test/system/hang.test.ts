/** An HNS that does not answer: every command ends with an answer of its own, soon, although a thread is stuck for ever. */
import { CniNode, expectSilence, parseError } from "../support/cni-node.ts";
import { attachHasty as attach, HANG_CASES, HASTY as config, LIMIT_MS, meetHang } from "../support/hangs.ts";
import { expectNothingLeft } from "../support/leftovers.ts";
import { describeProgram, describePrograms, linux, type CniProgram } from "../support/programs.ts";

describeProgram(linux, "a call that HNS never answers", () => {
  const node = useNode(linux);

  it.each(HANG_CASES.map((entry) => [entry.command, `${entry.call} ${entry.match ?? ""}`.trim(), entry.answer, entry] as const))(
    "%s with %s hanging: %s",
    async (_command, _call, _answer, entry) => {
      const pod = await meetHang(node(), entry);
      await node().callSilently("DEL", pod, { config });
      // A call that hung may have left a handle with HNS: the program could not know of it.
      await node().emulator.clearHandles();
      const hasNetwork = (await node().emulator.networks()).length > 0;
      if (hasNetwork) await node().callSilently("DEL", await attach(node()), { config });
      await expectNothingLeft(node(), hasNetwork ? "kept" : "never made");
    },
  );

  it("every call: ADD, DEL and GC still answer", async () => {
    const pod = await attach(node());
    await node().emulator.addFault({ call: "*", kind: "hang" });
    const options = { config, timeoutMs: LIMIT_MS };
    expect(parseError(await node().call("ADD", await node().makePod(), options))).toMatchObject({ code: 11 });
    expect(parseError(await node().call("DEL", pod, options))).toMatchObject({ code: 11 });
    const collect = { ...options, config: { ...config, "cni.dev/valid-attachments": [] } };
    expect(parseError(await node().callForNetwork("GC", collect))).toMatchObject({ code: 11 });
    await node().emulator.clearFaults();
    expectSilence(await node().callForNetwork("GC", collect));
    await node().emulator.clearHandles();
    await expectNothingLeft(node());
  });
});

describePrograms("the end of a program with a stuck thread", (program: CniProgram) => {
  const node = useNode(program);

  it("comes with the error document on stdout", async () => {
    await meetHang(node(), { call: "HcnCreateEndpoint", command: "ADD", isKnown: true, answer: "try again" });
  });
});

function useNode(program: CniProgram): () => CniNode {
  let node: CniNode | undefined;
  const get = (): CniNode => {
    if (node === undefined) throw new Error("there is no node yet");
    return node;
  };
  beforeAll(async () => {
    node = await CniNode.start(program);
  });
  afterAll(() => get().close());
  beforeEach(() => get().renew());
  return get;
}
