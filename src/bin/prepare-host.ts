import { closeSync, fsyncSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { PluginError } from "../core/base/errors.ts";
import type { SnapshotFile } from "../core/engine/prepare/snapshot.ts";
import type { UplinkAccess } from "../core/engine/prepare/uplink.ts";
import { makeFolder } from "../host/exec/folders.ts";
import { writeInOneStep } from "../host/exec/write-file.ts";
import { openEmulatedUplinks } from "../host/linux/uplinks.ts";
import { openWindowsUplinks } from "../host/windows/uplinks.ts";
import type { Platform } from "./platform.ts";

/** The machine's own network settings, or the emulated machine's. */
export function openUplinks({ windows, emulatedHost }: Platform): UplinkAccess {
  if (windows !== undefined) return openWindowsUplinks(windows);
  return openEmulatedUplinks((request) => emulatedHost?.ask(request));
}

/** The snapshot of this state folder, and the lock that keeps two from working with it; made with the first write. */
export interface LockableSnapshot extends SnapshotFile {
  /** Undefined while another process has it. The folder is made. Throws IO_FAILURE. */
  lock(): { release(): void } | undefined;
}

export function openSnapshotFile(platform: Platform, stateDir: string): LockableSnapshot {
  const path = join(stateDir, "uplink-snapshot.json");
  const guard = <T>(what: string, work: () => T): T => {
    try {
      return work();
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      const data = { message: `cannot ${what} ${path}: ${reason}`, remedy: "check the permissions and free space of the state folder" };
      throw new PluginError("IO_FAILURE", data, { cause: thrown });
    }
  };
  return {
    path,
    read: () => guard("read", () => readIfThere(path)),
    write: (text) => guard("write", () => writeDurably(stateDir, path, text)),
    remove: () => guard("remove", () => rmSync(path, { force: true })),
    lock: () =>
      guard("lock", () => {
        makeFolder(stateDir);
        return platform.lockFile(join(stateDir, "prepare.lock"), "exclusive");
      }),
  };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return undefined;
    throw thrown;
  }
}

function writeDurably(folder: string, path: string, text: string): void {
  makeFolder(folder);
  writeInOneStep(path, text);
  if (process.platform === "win32") return; // NTFS keeps the rename in its journal, and folders cannot be flushed
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Calls `listener` when the user or the system wants this process to end, until the function returned is called. The end of the terminal is no
 * such wish: a remote session breaks off when the switch is made.
 */
export function listenForInterrupts(listener: () => void): () => void {
  const ignore = (): void => undefined;
  const signals = ["SIGINT", "SIGTERM", "SIGBREAK"] as const;
  for (const signal of signals) process.on(signal, listener);
  process.on("SIGHUP", ignore);
  return () => {
    for (const signal of signals) process.off(signal, listener);
    process.off("SIGHUP", ignore);
  };
}
