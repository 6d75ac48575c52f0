/** An HNS that does not answer: every command ends with an answer of its own, soon, although a thread is stuck for ever. */
import { type AttachmentCommand, CniNode, expectSilence, parseError, type Pod } from "../support/cni-node.ts";
import { expectNothingLeft } from "../support/leftovers.ts";
import { describeProgram, describePrograms, linux, type CniProgram } from "../support/programs.ts";
import { containing } from "../unit/core/cni/matchers.ts";

/** One second a call; a program that waits longer for one, or is kept alive by it, is killed and the case fails. */
const config = { callTimeoutSeconds: 1, operationTimeoutSeconds: 20 };
const LIMIT_MS = 15_000;

interface Hang {
  readonly call: string;
  readonly command: AttachmentCommand;
  /** Whether a pod is attached before. */
  readonly isKnown: boolean;
  /** What the answer is: an error for the runtime, or success where the call was not needed for it. */
  readonly answer: "try again" | "success";
  readonly match?: string;
}

const CASES: readonly Hang[] = [
  { call: "HcnEnumerateNetworks", command: "ADD", isKnown: false, answer: "try again" },
  { call: "HcnOpenNamespace", command: "ADD", isKnown: false, answer: "try again" },
  { call: "HNSCall", match: "/globals/version", command: "ADD", isKnown: false, answer: "try again" },
  { call: "HcnCreateNetwork", command: "ADD", isKnown: false, answer: "try again" },
  { call: "HcnQueryNetworkProperties", command: "ADD", isKnown: false, answer: "try again" },
  { call: "HNSCall", match: "/attach", command: "ADD", isKnown: false, answer: "try again" },
  { call: "HcnOpenNetwork", command: "ADD", isKnown: true, answer: "try again" },
  { call: "HcnCreateEndpoint", command: "ADD", isKnown: true, answer: "try again" },
  { call: "HcnQueryEndpointProperties", command: "ADD", isKnown: true, answer: "try again" },
  { call: "HcnModifyNamespace", command: "ADD", isKnown: true, answer: "try again" },
  { call: "HcnCloseEndpoint", command: "ADD", isKnown: true, answer: "success" },
  { call: "HcnCloseNetwork", command: "ADD", isKnown: true, answer: "success" },
  { call: "HcnCloseNamespace", command: "ADD", isKnown: true, answer: "success" },
  { call: "HcnOpenEndpoint", command: "CHECK", isKnown: true, answer: "try again" },
  { call: "HcnEnumerateEndpoints", command: "DEL", isKnown: false, answer: "try again" },
  { call: "HcnDeleteEndpoint", command: "DEL", isKnown: true, answer: "try again" },
  { call: "HcnModifyNamespace", command: "DEL", isKnown: true, answer: "success" },
];

describeProgram(linux, "a call that HNS never answers", () => {
  const node = useNode(linux);

  it.each(CASES.map((entry) => [entry.command, `${entry.call} ${entry.match ?? ""}`.trim(), entry.answer, entry] as const))(
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

/** Lets the first such call of the command hang and checks the answer; the fault is taken back. */
async function meetHang(node: CniNode, hang: Hang): Promise<Pod> {
  const { call, command, isKnown, answer, match } = hang;
  const known = isKnown ? await attach(node) : undefined;
  const pod = known === undefined || command === "ADD" ? await node.makePod() : known;
  if (known !== undefined && known !== pod) await node.callSilently("DEL", known, { config });
  await node.emulator.addFault({ call, kind: "hang", nth: 1, ...(match !== undefined && { match }) });
  const outcome = await node.call(command, pod, { config, timeoutMs: LIMIT_MS });
  expect((await node.emulator.faults()).map(({ seen }) => seen > 0)).toEqual([true]);
  if (answer === "success") expect(outcome).toMatchObject({ code: 0, stderr: "" });
  else expect(parseError(outcome)).toMatchObject({ code: 11, msg: containing("within 1 s") });
  await node.emulator.clearFaults();
  return pod;
}

async function attach(node: CniNode): Promise<Pod> {
  const pod = await node.makePod();
  await node.add(pod, { config });
  return pod;
}
