/** Values longer than this are cut: they may be secrets that slipped into the wrong field. */
const MAX_SHOWN = 64;

/** One thing that is wrong with the configuration. `path` reads like `ipam.cidr` or `clusterCidrs[0]`; the whole document is "". */
export interface Fault {
  readonly path: string;
  readonly problem: string;
  readonly remedy: string;
}

/** A fault of a value that is there. */
export function describeFault(path: string, value: unknown, problem: string, remedy: string): Fault {
  return { path, problem: `is ${showValue(value)}: ${problem}`, remedy };
}

/** A value for people: texts quoted and cut, lists and objects by name only, since anything may be inside. */
export function showValue(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  const text =
    typeof value === "string" ? JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value) : String(value);
  return text;
}
