import { PluginError } from "../../core/base/errors.ts";
import type { LogLevel } from "../../core/base/log.ts";
import { checkSchema, type SchemaFault } from "../../host/agent/schema.ts";
import { AGENT_SCHEMA } from "./agent-schema.ts";

/** agent.json with every default filled in. Times are in seconds, as their names say. */
export interface AgentConfig {
  /** Absent means the host's default. */
  readonly stateDir?: string;
  readonly logLevel: LogLevel;
  readonly drainSeconds: number;
  readonly eventLog: { readonly enabled: boolean; readonly level: "error" | "warn"; readonly repeatSeconds: number };
  readonly metrics: { readonly enabled: boolean; readonly port: number };
  readonly hns: {
    readonly unansweredLimit: number;
    readonly restSeconds: number;
    readonly abandonedLimit: number;
    readonly callback: boolean;
    readonly pollSeconds: number;
    readonly callbackPollSeconds: number;
  };
  readonly reconcile: {
    readonly enabled: boolean;
    readonly dryRun: boolean;
    readonly intervalSeconds: number;
    readonly graceSeconds: number;
  };
  readonly cniConf: { readonly source?: string; readonly folder?: string; readonly name: string; readonly removeOnStop: boolean };
}

/** Reads the text of agent.json; "" gives the defaults. Throws one INVALID_CONFIG that lists every fault with its key and value. */
export function parseAgentConfig(text: string, path: string): AgentConfig {
  const document = parseJson(text === "" ? "{}" : text, path);
  const faults = checkSchema(AGENT_SCHEMA, document).map(describe);
  if (faults.length === 0) return document as AgentConfig; // what the schema says
  throw new PluginError("INVALID_CONFIG", {
    message: `${path} has ${faults.length === 1 ? "1 fault" : `${faults.length} faults`}: ${faults.join("; ")}`,
    remedy: "correct it, or remove the key to get its default (docs/agent.md)",
  });
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    const message = `${path} is no JSON: ${thrown instanceof Error ? thrown.message : ""}`;
    throw new PluginError("INVALID_CONFIG", { message, remedy: "correct its syntax" }, { cause: thrown });
  }
}

function describe({ path, unknownKey, value, message }: SchemaFault): string {
  if (unknownKey !== undefined) return `${[...path, unknownKey].join(".")} is no known key`;
  return `${path.length === 0 ? "the document" : path.join(".")} is ${JSON.stringify(value)}: ${message}`;
}
