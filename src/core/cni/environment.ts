import { PluginError } from "../base/errors.ts";

export const COMMANDS = ["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"] as const;
export type Command = (typeof COMMANDS)[number];

/** Environment variables by name; a value of undefined means absent. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The CNI_* variables of one call. Those that are absent are empty texts. */
export interface CniVariables {
  readonly command: Command;
  readonly containerId: string;
  /** On Windows the GUID of a host compute namespace: an opaque text, not a path. */
  readonly netns: string;
  readonly ifname: string;
  readonly args: string;
  /** Folders with plugins as one text; see splitPathList. */
  readonly path: string;
}

type Variable = "CNI_CONTAINERID" | "CNI_NETNS" | "CNI_IFNAME" | "CNI_PATH";

const REQUIRED: Readonly<Record<Command, readonly Variable[]>> = {
  ADD: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"],
  CHECK: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"],
  DEL: ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"],
  GC: ["CNI_PATH"],
  STATUS: ["CNI_PATH"],
  VERSION: [],
};

const TRACE_VARIABLES = ["TRACEPARENT", "TRACESTATE", "BAGGAGE"] as const;
const MAX_IFNAME_BYTES = 15; // IFNAMSIZ of Linux; runtimes apply it on Windows too
const REMEDY = "the container runtime sets these variables; outside one, set them as the CNI specification says";

/** The value of a variable. Names are matched in any case, as Windows does; an exact match wins. */
export function readVariable(env: Environment, name: string): string {
  const exact = env[name];
  if (exact !== undefined) return exact;
  const wanted = name.toUpperCase();
  const key = Object.keys(env).find((other) => other.toUpperCase() === wanted && env[other] !== undefined);
  return key === undefined ? "" : (env[key] ?? "");
}

/** The command of this call. Throws INVALID_ENVIRONMENT when it is missing or none of COMMANDS in upper case. */
export function readCommand(env: Environment): Command {
  const text = readVariable(env, "CNI_COMMAND");
  if (text === "") throw environmentError("required env variables [CNI_COMMAND] missing");
  const command = COMMANDS.find((known) => known === text);
  if (command === undefined) throw environmentError(`unknown CNI_COMMAND: ${text}`);
  return command;
}

/** The variables of a call of `command`. Throws INVALID_ENVIRONMENT naming every required one that is missing; says nothing of their content. */
export function readVariables(env: Environment, command: Command): CniVariables {
  const missing = REQUIRED[command].filter((name) => readVariable(env, name) === "");
  if (missing.length > 0) throw environmentError(`required env variables [${missing.join(",")}] missing`);
  return {
    command,
    containerId: readVariable(env, "CNI_CONTAINERID"),
    netns: readVariable(env, "CNI_NETNS"),
    ifname: readVariable(env, "CNI_IFNAME"),
    args: readVariable(env, "CNI_ARGS"),
    path: readVariable(env, "CNI_PATH"),
  };
}

/** Throws INVALID_ENVIRONMENT when the container id or interface name is malformed; a command that needs neither is not checked. */
export function checkVariables(variables: CniVariables): void {
  const required = REQUIRED[variables.command];
  if (required.includes("CNI_CONTAINERID") && !isIdentifier(variables.containerId)) {
    throw environmentError("invalid characters in containerID (CNI_CONTAINERID)", variables.containerId);
  }
  const fault = required.includes("CNI_IFNAME") ? findIfnameFault(variables.ifname) : undefined;
  if (fault !== undefined) throw environmentError(`interface name (CNI_IFNAME) ${fault}`, variables.ifname);
}

/** The whole environment checked in one go: command, presence, content. */
export function parseEnvironment(env: Environment): CniVariables {
  const variables = readVariables(env, readCommand(env));
  checkVariables(variables);
  return variables;
}

/** What container ids and network names have in common: a letter or digit, then letters, digits, `_`, `.`, `-`. */
export function isIdentifier(text: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(text);
}

/** The folders of CNI_PATH. Windows separates with `;`, entries may stand in quotes (which hide separators); empty ones are dropped. */
export function splitPathList(text: string, separator: ";" | ":" = ";"): string[] {
  const entries: string[] = [];
  let entry = "";
  let isQuoted = false;
  for (const character of text) {
    if (character === '"' && separator === ";") isQuoted = !isQuoted;
    else if (character === separator && !isQuoted) {
      entries.push(entry);
      entry = "";
    } else entry += character;
  }
  return [...entries, entry].filter((part) => part !== "");
}

/** The tracing context a runtime may pass along, for the log. */
export function readTrace(env: Environment): Readonly<Record<string, string>> {
  const pairs = TRACE_VARIABLES.map((name) => [name.toLowerCase(), readVariable(env, name)] as const);
  return Object.fromEntries(pairs.filter(([, value]) => value !== ""));
}

function findIfnameFault(name: string): string | undefined {
  if (name === "") return "is empty";
  if (new TextEncoder().encode(name).length > MAX_IFNAME_BYTES) return `is longer than ${MAX_IFNAME_BYTES} bytes`;
  if (name === "." || name === "..") return "is . or ..";
  if (/[/:]/.test(name)) return "contains / or :";
  if (/\s/.test(name)) return "contains whitespace";
  return undefined;
}

function environmentError(message: string, value?: string): PluginError {
  return new PluginError("INVALID_ENVIRONMENT", { message, remedy: REMEDY, ...(value === undefined ? {} : { details: value }) });
}
