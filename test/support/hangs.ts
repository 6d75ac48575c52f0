/** Calls to HNS that never return, one of each kind in each command. */
import { containing } from "../unit/core/cni/matchers.ts";
import { type AttachmentCommand, type CniNode, parseError, type Pod } from "./cni-node.ts";

/** One second a call; a program that waits longer for one, or is kept alive by it, is killed and the case fails. */
export const HASTY = { callTimeoutSeconds: 1, operationTimeoutSeconds: 20 };
export const LIMIT_MS = 15_000;

export interface Hang {
  readonly call: string;
  readonly command: AttachmentCommand;
  /** Whether a pod is attached before. */
  readonly isKnown: boolean;
  /** What the answer is: an error for the runtime, or success where the call was not needed for it. */
  readonly answer: "try again" | "success";
  readonly match?: string;
}

export const HANG_CASES: readonly Hang[] = [
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

/** Lets the first such call of the command hang and checks the answer; the fault is taken back. */
export async function meetHang(node: CniNode, hang: Hang): Promise<Pod> {
  const { call, command, isKnown, answer, match } = hang;
  const known = isKnown ? await attachHasty(node) : undefined;
  const pod = known === undefined || command === "ADD" ? await node.makePod() : known;
  if (known !== undefined && known !== pod) await node.callSilently("DEL", known, { config: HASTY });
  await node.emulator.addFault({ call, kind: "hang", nth: 1, ...(match !== undefined && { match }) });
  const outcome = await node.call(command, pod, { config: HASTY, timeoutMs: LIMIT_MS });
  expect((await node.emulator.faults()).map(({ seen }) => seen > 0)).toEqual([true]);
  if (answer === "success") expect(outcome).toMatchObject({ code: 0, stderr: "" });
  else expect(parseError(outcome)).toMatchObject({ code: 11, msg: containing("within 1 s") });
  await node.emulator.clearFaults();
  return pod;
}

/** A pod that is attached, by calls as hasty as the others. */
export async function attachHasty(node: CniNode): Promise<Pod> {
  const pod = await node.makePod();
  await node.add(pod, { config: HASTY });
  return pod;
}
