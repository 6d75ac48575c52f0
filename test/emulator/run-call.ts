import { HRESULT } from "./model/hresult.ts";
import type { Fault } from "./model/faults.ts";
import type { Caller, CallResult, HnsModel, PendingCall } from "./model/model.ts";
import type { CallArgs } from "./model/exports.ts";

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
  const outcome = call.fault === undefined ? answer(model.execute(call)) : await meetFault(model, call, { fault: call.fault, options });
  if (outcome.kind === "answer" && options.isGone?.() === true) model.handles.drop(outcome.result.handle);
  return outcome;
}

async function meetFault(model: HnsModel, call: PendingCall, { fault, options }: { fault: Fault; options: RunOptions }): Promise<CallOutcome> {
  switch (fault.kind) {
    case "fail":
      return answer(model.refuse(call, fault.hresult ?? HRESULT.UNEXPECTED));
    case "fail-after":
      executeUnseen(model, call);
      return answer(model.refuse(call, fault.hresult ?? HRESULT.UNEXPECTED));
    case "delay": {
      const result = model.execute(call);
      await options.sleep(fault.ms ?? 0);
      return answer(result);
    }
    case "late":
      await options.sleep(fault.ms ?? 0);
      return answer(model.execute(call));
    case "hang":
      return await never();
    case "hang-after":
      executeUnseen(model, call);
      return await never();
    case "kill":
      return { kind: "kill" };
    case "kill-after":
      executeUnseen(model, call);
      return { kind: "kill" };
    case "restart":
    case "restart-after":
      if (fault.kind === "restart-after") model.execute(call);
      model.restart({ loseEndpoints: false });
      return answer(model.refuse(call, HRESULT.RPC_CALL_FAILED));
    case "reboot":
    case "reboot-after":
      if (fault.kind === "reboot-after") model.execute(call);
      model.reboot();
      return { kind: "kill" };
  }
}

/** The effect happens but its answer is lost: so is the handle in it, and the log shows no answer. */
function executeUnseen(model: HnsModel, call: PendingCall): void {
  model.handles.drop(model.execute(call).handle);
  if (call.record !== undefined) call.record.hresult = null;
}

function answer(result: CallResult): CallOutcome {
  return { kind: "answer", result };
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
