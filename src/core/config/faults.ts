import { PluginError } from "../base/errors.ts";
import { describeFault, type Fault } from "../base/fault.ts";
import type { SchemaFault } from "./generated/validate-plugin.ts";
import { listRemedies } from "./generated/plugin-shape.ts";

export type { Fault };

/** A fault of a value that is there. Without a remedy of its own it gets the schema's for its path. */
export function buildFault(path: string, value: unknown, problem: string, remedy?: string): Fault {
  return describeFault(path, value, problem, remedy ?? findRemedy(path));
}

/** A fault that the validator found in `document`, in the words of this product. */
export function describeSchemaFault(fault: SchemaFault, document: unknown): Fault {
  const steps = fault.instancePath
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const path = showPath(steps);
  if (fault.keyword === "required") {
    const missing = String(fault.params["missingProperty"]);
    const below = path === "" ? missing : `${path}.${missing}`;
    return { path: below, problem: "is missing", remedy: findRemedy(below) };
  }
  const value = steps.reduce<unknown>((at, step) => (typeof at === "object" && at !== null ? Reflect.get(at, step) : undefined), document);
  return buildFault(path, value, describeKeyword(fault));
}

/** All faults in one INVALID_CONFIG; there must be at least one. */
export function buildConfigError(faults: readonly Fault[]): PluginError {
  const lines = faults.map(({ path, problem, remedy }) => `${path === "" ? "the document" : path} ${problem}; ${remedy}`);
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  const field = faults[0]?.path;
  return new PluginError("INVALID_CONFIG", {
    message: `the network configuration has ${count}: ${lines.map((line, index) => (faults.length === 1 ? line : `(${index + 1}) ${line}`)).join(" ")}`,
    ...(field === undefined || field === "" ? {} : { field }),
  });
}

function describeKeyword({ keyword, params, message }: SchemaFault): string {
  if (keyword === "enum" && Array.isArray(params["allowedValues"])) return `must be one of ${params["allowedValues"].join(", ")}`;
  if (keyword === "pattern") return "does not have the form this needs";
  if (keyword === "minItems") return "must not be empty";
  return message ?? `fails ${keyword}`;
}

/** `["clusterCidrs", "0"]` as `clusterCidrs[0]`. */
function showPath(steps: readonly string[]): string {
  return steps.reduce(
    (path, step) => (/^\d+$/.test(step) && path !== "" ? `${path}[${step}]` : path === "" ? step : `${path}.${step}`),
    "",
  );
}

/** The schema's remedy for the path or, where it has none, for the nearest object around it. */
function findRemedy(path: string): string {
  const general = path.replaceAll(/\[\d+\]/g, ".*");
  const parent = general.includes(".") ? general.slice(0, general.lastIndexOf(".")) : "";
  const remedies = listRemedies();
  return remedies[general] ?? remedies[`${parent}.*`] ?? remedies[parent] ?? "see docs/configuration.md";
}
