import { type Clock, poll } from "../core/base/async.ts";
import { PluginError } from "../core/base/errors.ts";
import { HandedOver } from "../core/cni/dispatch.ts";
import { type LockFile, takeAgentLock } from "../host/exec/agent-lock.ts";
import { loadAsset } from "./assets.ts";
import type { forward as Forward, ForwardRequest } from "./forward.ts";

/** How long an agent that holds the lock and does not listen may take to start or to end, milliseconds. */
const CHANGE_MS = 30_000;
const POLL_MS = 100;

export interface HandOverOptions {
  readonly lockFile: LockFile;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly request: ForwardRequest;
}

/**
 * Returns when this process may work with the state itself: it then holds the lock that keeps an agent away. Where an agent is at work it
 * does the call, and its answer is thrown as HandedOver. Throws AGENT_SILENT when it does not answer: two engines must not work at once.
 */
export async function takeOverOrHandOver({ lockFile, stateDir, clock, request }: HandOverOptions): Promise<void> {
  const deadline = { at: clock.uptime() + CHANGE_MS };
  const isOurs = await poll(clock, { deadline, intervalMs: POLL_MS }, async () => {
    if (isFree(lockFile, stateDir)) return true;
    // What this build's src/bin/forward.ts exports.
    const { forward } = loadAsset("client") as { forward: typeof Forward };
    const outcome = await forward(request);
    if (outcome.kind === "answered") throw new HandedOver(outcome.stdout, outcome.code === 0 ? 0 : 1);
    if (outcome.kind === "silent" && outcome.reason !== "closing") throw silent(outcome.reason);
    return undefined; // it starts or ends: its place in the file system is not there, its lock still is
  });
  if (isOurs !== true) throw silent(`it does not listen at ${request.socket}`);
}

/** Also where the folder cannot be written: then there is no agent in it, and the command itself tells what is wrong with the state. */
function isFree(lockFile: LockFile, stateDir: string): boolean {
  try {
    return takeAgentLock(lockFile, stateDir, "shared") !== undefined;
  } catch {
    return true;
  }
}

function silent(reason: string): PluginError {
  const message = `the agent holds the node's state and does not answer: ${reason}`;
  return new PluginError(
    "AGENT_SILENT",
    { message, remedy: "look at agent.log; restart the hns-cni service if it stays so" },
    { retryable: true },
  );
}
