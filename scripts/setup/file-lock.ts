/** A lock between processes of one machine: builds and suites start at the same moment. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const patienceMs = 240_000;

/**
 * Runs `work` while no other process does so under the same file. The file holds the process id; one whose process is gone
 * is taken over. Throws after four minutes of waiting.
 */
export async function withFileLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const giveUpAt = Date.now() + patienceMs;
  while (!tryTake(file)) {
    if (Date.now() > giveUpAt) throw new Error(`another process has held ${file} for four minutes`);
    await sleep(100);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function tryTake(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
    if (!holderIsAlive(file)) rmSync(file, { force: true });
    return false;
  }
}

function holderIsAlive(file: string): boolean {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    // An empty file is a holder between creating it and writing its number.
    if (!Number.isInteger(pid) || pid <= 0) return true;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // ENOENT: released in between, so the next try takes it. EPERM: another user's process, alive.
    return !isCode(error, "ESRCH");
  }
}

/** Not by class: inside jest, errors of Node's own modules belong to another realm's Error. */
function isCode(error: unknown, code: string): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === code;
}
