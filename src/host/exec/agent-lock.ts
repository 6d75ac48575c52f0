import { join } from "node:path";
import { makeFolder } from "./folders.ts";

export type LockKind = "shared" | "exclusive";

/** A lock that is held until it is released or this process ends, whatever ends it. */
export interface HeldLock {
  release(): void;
}

/** Locks the file at the path; undefined while others keep it from us. Throws IO_FAILURE when the file cannot be used. */
export type LockFile = (path: string, kind: LockKind) => HeldLock | undefined;

/**
 * Takes the lock that keeps engines of two kinds from working at once on the state in `stateDir`: the agent's exclusive one, or the shared
 * one of the plugins that work alone. Undefined while others hold one that stands against it.
 */
export function takeAgentLock(lockFile: LockFile, stateDir: string, kind: LockKind): HeldLock | undefined {
  makeFolder(stateDir);
  return lockFile(lockPath(stateDir), kind);
}

/** Whether an agent holds the lock, rather than plugins that will end soon. */
export function isAgentAtWork(lockFile: LockFile, stateDir: string): boolean {
  const probe = takeAgentLock(lockFile, stateDir, "shared");
  probe?.release();
  return probe === undefined;
}

function lockPath(stateDir: string): string {
  return join(stateDir, "agent.lock");
}
