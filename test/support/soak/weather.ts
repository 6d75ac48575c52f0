/** What goes wrong in a stretch of the walk. */
import { type FaultKind, type FaultSpec } from "../../emulator/model/faults.ts";
import { HRESULT } from "../../emulator/model/hresult.ts";

export type WeatherName =
  "calm" | "refusals" | "slow" | "late" | "hangs" | "hns restarts" | "agent restarts" | "deaths" | "reboots" | "storm";

/** What can happen between two calls, beside faults of HNS itself. */
export type Mishap = "hns restart" | "hns loses endpoints" | "agent killed" | "agent stopped" | "reboot";

export interface Weather {
  readonly name: WeatherName;
  /** How often a call comes with one more fault, 0 to 1. */
  readonly faults: number;
  readonly kinds: readonly FaultKind[];
  /** How often each happens at a call, 0 to 1. */
  readonly mishaps: Readonly<Partial<Record<Mishap, number>>>;
  /** Whether the agent may end in it. */
  readonly isDeadly: boolean;
}

const REFUSALS: readonly FaultKind[] = ["fail", "fail", "fail-after"];
const STUCK: readonly FaultKind[] = ["hang", "hang-after", "late"];
const DEATHS: readonly FaultKind[] = ["kill", "kill-after"];

export const WEATHERS: readonly Weather[] = [
  { name: "calm", faults: 0, kinds: [], mishaps: {}, isDeadly: false },
  { name: "refusals", faults: 0.15, kinds: REFUSALS, mishaps: {}, isDeadly: false },
  { name: "slow", faults: 0.15, kinds: ["delay"], mishaps: {}, isDeadly: false },
  { name: "late", faults: 0.03, kinds: ["late", "delay"], mishaps: {}, isDeadly: false },
  {
    name: "hns restarts",
    faults: 0.02,
    kinds: ["restart", "restart-after", "fail"],
    mishaps: { "hns restart": 0.01, "hns loses endpoints": 0.006 },
    isDeadly: false,
  },
  { name: "hangs", faults: 0.02, kinds: STUCK, mishaps: {}, isDeadly: true },
  { name: "agent restarts", faults: 0, kinds: [], mishaps: { "agent killed": 0.015, "agent stopped": 0.015 }, isDeadly: true },
  { name: "deaths", faults: 0.03, kinds: DEATHS, mishaps: {}, isDeadly: true },
  { name: "reboots", faults: 0.02, kinds: REFUSALS, mishaps: { reboot: 0.01, "agent killed": 0.005 }, isDeadly: true },
  {
    name: "storm",
    faults: 0.08,
    kinds: [...REFUSALS, ...STUCK, ...DEATHS, "delay", "restart", "restart-after"],
    mishaps: { "hns restart": 0.003, "hns loses endpoints": 0.002, "agent killed": 0.005, "agent stopped": 0.003, reboot: 0.001 },
    isDeadly: true,
  },
];

/** Exports that the program uses; those that change something twice, so that they are met more often. */
const CALLS: readonly string[] = [
  "HcnCreateEndpoint",
  "HcnCreateEndpoint",
  "HcnDeleteEndpoint",
  "HcnDeleteEndpoint",
  "HcnModifyNamespace",
  "HcnModifyNamespace",
  "HcnOpenNamespace",
  "HcnOpenNetwork",
  "HcnOpenEndpoint",
  "HcnQueryEndpointProperties",
  "HcnEnumerateEndpoints",
  "HcnEnumerateNamespaces",
  "HcnCloseEndpoint",
  "HNSCall",
  "*",
];

/** Refusals that a service in trouble gives. None says that something is not there: that would be a lie about what there is. */
const REFUSAL_CODES: readonly number[] = [
  0x80004005, // E_FAIL
  0x80070005, // access denied
  0x8007000e, // out of memory
  0x80070015, // not ready
  0x803b0020, // the manager is stopped
  HRESULT.UNEXPECTED,
  HRESULT.RPC_UNAVAILABLE,
  HRESULT.RPC_CALL_FAILED,
];

/** Delays that are shorter than the deadline of a call, and those that are longer, milliseconds. */
const DELAY_MS = { short: 400, beyond: 1_500 };

/** A fault that meets one call; `deadlineMs` is how long the program waits for one. */
export function pickFault(random: () => number, weather: Weather, deadlineMs: number): FaultSpec {
  const kind = pick(random, weather.kinds);
  const fault = { call: pick(random, CALLS), kind, nth: 1 + Math.floor(random() * 3) };
  if (kind.startsWith("fail")) return { ...fault, hresult: pick(random, REFUSAL_CODES) };
  if (kind === "delay") return { ...fault, ms: Math.ceil(random() * DELAY_MS.short) };
  if (kind === "late") return { ...fault, ms: deadlineMs + Math.ceil(random() * DELAY_MS.beyond) };
  return fault;
}

export function pickMishap(random: () => number, { mishaps }: Weather): Mishap | undefined {
  let draw = random();
  for (const [name, part] of Object.entries(mishaps)) {
    draw -= part;
    if (draw < 0) return name as Mishap; // a key of the table
  }
  return undefined;
}

export function pick<T>(random: () => number, from: readonly T[]): T {
  const found = from[Math.floor(random() * from.length)];
  if (found === undefined) throw new Error("nothing to pick from");
  return found;
}
