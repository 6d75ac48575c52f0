/** Calls of HNS that meet a scripted fault. */
import type { CallRecord } from "../emulator/model/call-log.ts";
import type { CniNode } from "./cni-node.ts";

/** Waits until a call has met a fault, and gives that call. Each turn is a request that the emulator answers. */
export async function waitForFault(node: CniNode): Promise<CallRecord> {
  for (;;) {
    const met = (await node.emulator.calls()).find(({ fault }) => fault !== null);
    if (met !== undefined) return met;
  }
}
