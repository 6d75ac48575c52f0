import type { AroundCall } from "../../core/hcn/decorate.ts";

/** For `decorate`: what is meant is durable before HNS is touched. Calls that only look go on at once. */
export function flushFirst(flush: () => Promise<void>): AroundCall {
  return async (name, run) => {
    if (changesHns(name)) await flush();
    return run();
  };
}

function changesHns(call: string): boolean {
  return /^(create|modify|delete) |^HNSCall (POST|DELETE)/.test(call);
}
