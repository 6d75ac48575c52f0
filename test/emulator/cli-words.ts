/** What people type after a command, read. The emulator itself checks names and ranges and says what there is. */
import type { BudgetSpec } from "./model/call-budget.ts";
import type { FaultKind, FaultSpec } from "./model/faults.ts";
import type { LatencySpec } from "./model/latency.ts";
import type { WorldSnapshot } from "./model/world.ts";

/** The command line was wrong: exit code 2. */
export class UsageError extends Error {}

export interface CliOptions {
  readonly nth?: string | undefined;
  readonly match?: string | undefined;
  readonly hresult?: string | undefined;
  readonly ms?: string | undefined;
  readonly seed?: string | undefined;
}

export function readFaultWords([call, kind]: readonly string[], options: CliOptions): FaultSpec {
  if (call === undefined || kind === undefined) throw new UsageError("fault needs an export's name and a kind");
  return {
    call,
    // The emulator checks it and names the kinds there are.
    kind: kind as FaultKind,
    ...optional("nth", options.nth),
    ...(options.match === undefined ? {} : { match: options.match }),
    ...optional("hresult", options.hresult),
    ...optional("ms", options.ms),
  };
}

export function readLatencyWords([call, distribution, first, second]: readonly string[], { seed }: CliOptions): LatencySpec {
  if (call === undefined || first === undefined) throw new UsageError("latency needs an export's name, a distribution and its numbers");
  const seeded = optional("seed", seed);
  switch (distribution) {
    case "fixed":
      return { call, distribution, ms: readNumber("MS", first) };
    case "uniform":
      return { call, distribution, min: readNumber("MIN", first), max: readNumber("MAX", second), ...seeded };
    case "exponential":
      return { call, distribution, mean: readNumber("MEAN", first), ...seeded };
    default:
      throw new UsageError("a distribution is fixed, uniform or exponential");
  }
}

export function readBudgetWords([limit]: readonly string[], { hresult }: CliOptions): BudgetSpec {
  return { limit: readNumber("the number of calls", limit), ...optional("hresult", hresult) };
}

export function readJsonObject(text: string | undefined): object {
  const value = parse(text ?? "null");
  if (typeof value !== "object" || value === null) throw new UsageError("set needs a JSON object");
  return value;
}

/** A file that `snapshot` wrote. */
export function readSnapshot(text: string): WorldSnapshot {
  const value = parse(text);
  if (typeof value !== "object" || value === null || !("networks" in value)) throw new Error("this file is no snapshot of the emulator");
  // The emulator's own file: the field just looked for tells it from any other.
  return value as WorldSnapshot;
}

/** A number in decimal or with 0x. */
export function readNumber(name: string, text: string | undefined): number {
  const value = text === undefined || text === "" ? Number.NaN : Number(text);
  if (Number.isNaN(value)) throw new UsageError(`${name} must be a number${text === undefined ? "" : `, not "${text}"`}`);
  return value;
}

function optional<K extends string>(name: K, text: string | undefined): Partial<Record<K, number>> {
  if (text === undefined) return {};
  return { [name]: readNumber(`--${name}`, text) } as Record<K, number>;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError("that is no JSON");
  }
}
