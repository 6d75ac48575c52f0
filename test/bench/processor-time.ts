import { readFileSync } from "node:fs";

/** Ticks a second in /proc, on every Linux that Node runs on (USER_HZ). */
const TICK_MS = 10;

/** Processor time since their start, milliseconds, of a process and of those children of it that have ended; in steps of 10. */
export function readProcessorTime(pid: number): { own: number; children: number } {
  const line = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name before may hold anything; after it, the state is field 3 of proc(5), and utime, stime, cutime, cstime are 14 to 17.
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const ms = (field: number): number => Number(fields[field - 3]) * TICK_MS;
  return { own: ms(14) + ms(15), children: ms(16) + ms(17) };
}

/** Megabytes of memory that a process has: resident in all, and of that what is its own and not a file's. */
export function readMemory(pid: number): { resident: number; own: number } {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1]) / 1024;
  return { resident: read("VmRSS"), own: read("RssAnon") };
}
