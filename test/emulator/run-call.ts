import { HRESULT } from "./model/hresult.ts";
import type { Fault, FaultKind } from "./model/faults.ts";
import type { Caller, CallResult, HnsModel, PendingCall } from "./model/model.ts";
import type { CallArgs } from "./model/export-arguments.ts";

/** What the caller experiences: an answer, or the end of its process. */
export type CallOutcome = { readonly kind: "answer"; readonly result: CallResult } | { readonly kind: "kill" };

export interface RunOptions {
  sleep(ms: number): Promise<void>;
  /** Whether the caller is no longer there to take an answer; a handle is then not left to it. */
  isGone?(): boolean;
}

export interface CallRequest {
  readonly name: string;
  readonly args: CallArgs;
  readonly caller: Caller;
}

/** Does a call the way the scripted faults want it. A call that hangs gives a promise that never settles. */
export function runCall(model: HnsModel, request: CallRequest, options: RunOptions): Promise<CallOutcome> {
  return runPending(model, model.begin(request.name, request.args, request.caller), options);
}

/** How long the caller of a call waits for its answer, in milliseconds: Infinity when there will be none. */
export function answerDelay(call: PendingCall): number {
  return call.latencyMs + faultDelay(call);
}

function faultDelay(call: PendingCall): number {
  switch (call.fault?.kind) {
    case "delay":
    case "late":
      return call.fault.ms ?? 0;
    case "hang":
    case "hang-after":
      return Infinity;
    default:
      return 0;
  }
}

/** Does a call that has arrived already. */
export async function runPending(model: HnsModel, call: PendingCall, options: RunOptions): Promise<CallOutcome> {
  const { fault } = call;
  // Without latency nothing is waited for, so that the effect is there when the caller's own code runs on.
  if (call.latencyMs > 0) await options.sleep(call.latencyMs);
  const outcome = fault === undefined ? answer(model.execute(call)) : await MEET[fault.kind]({ model, call, fault, sleep: options.sleep });
  if (outcome.kind === "answer" && options.isGone?.() === true) model.handles.drop(outcome.result.handle);
  return outcome;
}

interface Meeting {
  readonly model: HnsModel;
  readonly call: PendingCall;
  readonly fault: Fault;
  readonly sleep: RunOptions["sleep"];
}

/** What each kind of fault does to the call it meets. */
const MEET: Readonly<Record<FaultKind, (meeting: Meeting) => CallOutcome | Promise<CallOutcome>>> = {
  fail: refuseAsScripted,
  "fail-after": (meeting) => {
    executeUnseen(meeting);
    return refuseAsScripted(meeting);
  },
  delay: async ({ model, call, fault, sleep }) => {
    const result = model.execute(call);
    await sleep(fault.ms ?? 0);
    return answer(result);
  },
  late: async ({ model, call, fault, sleep }) => {
    await sleep(fault.ms ?? 0);
    return answer(model.execute(call));
  },
  hang: never,
  "hang-after": (meeting) => {
    executeUnseen(meeting);
    return never();
  },
  kill: () => ({ kind: "kill" }),
  "kill-after": (meeting) => {
    executeUnseen(meeting);
    return { kind: "kill" };
  },
  restart: restartService,
  "restart-after": (meeting) => {
    executeUnseen(meeting);
    return restartService(meeting);
  },
  reboot: rebootMachine,
  "reboot-after": (meeting) => {
    executeUnseen(meeting);
    return rebootMachine(meeting);
  },
};

function refuseAsScripted({ model, call, fault }: Meeting): CallOutcome {
  return answer(model.refuse(call, fault.hresult ?? HRESULT.UNEXPECTED));
}

function restartService({ model, call }: Meeting): CallOutcome {
  model.restart({ loseEndpoints: false });
  return answer(model.refuse(call, HRESULT.RPC_CALL_FAILED));
}

function rebootMachine({ model }: Meeting): CallOutcome {
  model.reboot();
  return { kind: "kill" };
}

/** The effect happens but its answer is lost: so is the handle in it, and the log shows no answer. */
function executeUnseen({ model, call }: Meeting): void {
  model.handles.drop(model.execute(call).handle);
  if (call.record !== undefined) call.record.hresult = null;
}

function answer(result: CallResult): CallOutcome {
  return { kind: "answer", result };
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
