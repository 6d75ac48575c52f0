import { PluginError } from "../base/errors.ts";
import { parseArguments } from "./arguments.ts";
import type { CniArguments } from "./arguments.ts";
import { isIdentifier, readTrace } from "./environment.ts";
import type { CniVariables, Environment } from "./environment.ts";
import { findField, hasField, isJsonObject } from "./json.ts";
import type { JsonObject } from "./json.ts";
import { needsAddress, parsePrevResult } from "./result-conversion.ts";
import type { CniResult } from "./result.ts";
import type { CniVersion } from "./version.ts";

/** What every command but VERSION brings. */
export interface CniRequest {
  /** CNI_PATH as one text; see splitPathList. */
  readonly path: string;
  readonly cniVersion: CniVersion;
  readonly networkName: string;
  /** The configuration as parsed, keys in the sender's case. */
  readonly rawConfig: JsonObject;
  /** The configuration as it arrived: delegates get it unchanged. */
  readonly stdin: string;
  /** traceparent, tracestate and baggage, where the runtime gave them. */
  readonly trace: Readonly<Record<string, string>>;
}

/** ADD, CHECK and DEL. */
export interface AttachmentRequest extends CniRequest {
  readonly command: "ADD" | "CHECK" | "DEL";
  readonly containerId: string;
  /** The sandbox's host compute namespace; may be empty on DEL. */
  readonly netns: string;
  readonly ifname: string;
  readonly args: CniArguments;
  /** A runtime always gives it on CHECK; a call by hand may not, and our own record serves then. On DEL a prevResult that cannot be read counts as absent. */
  readonly prevResult?: CniResult;
  /** Results in this version cannot be written without an address: an ADD that will not have one must refuse before it creates anything. */
  readonly resultNeedsAddress: boolean;
}

export interface GcRequest extends CniRequest {
  readonly command: "GC";
  /** The attachments of this network that are in use; everything else of this network is to go. Empty means all of it. */
  readonly validAttachments: readonly AttachmentKey[];
}

export interface StatusRequest extends CniRequest {
  readonly command: "STATUS";
}

export interface AttachmentKey {
  readonly containerId: string;
  readonly ifname: string;
}

/** The JSON object on stdin; a byte order mark is passed over. Throws MALFORMED_JSON. */
export function parseConfig(stdin: string): JsonObject {
  const config = parseJson(stdin.replace(/^\uFEFF/, ""));
  if (!isJsonObject(config)) throw malformed("the configuration on stdin is no JSON object");
  return config;
}

/** The network's name. Throws INVALID_CONFIG when it is missing, empty or has characters that names may not have. */
export function parseNetworkName(config: JsonObject): string {
  const name = findField(config, "name");
  if (name === undefined || name === "") {
    throw new PluginError("INVALID_CONFIG", { message: "missing network name", remedy: "give the configuration a name", field: "name" });
  }
  if (typeof name === "string" && isIdentifier(name)) return name;
  throw new PluginError("INVALID_CONFIG", {
    message: "invalid characters found in network name",
    remedy: "start with a letter or digit and go on with letters, digits, '_', '.' or '-'",
    field: "name",
    details: JSON.stringify(name).slice(0, 64),
  });
}

/** The version the configuration states, an empty text when it states none. Throws MALFORMED_JSON when it is no text. */
export function readStatedVersion(config: JsonObject): string {
  const version = findField(config, "cniVersion") ?? "";
  if (typeof version !== "string") throw malformed("cniVersion is no text", "cniVersion");
  return version;
}

/** What a request is made of once environment and configuration have been read. */
export interface RequestParts {
  readonly env: Environment;
  readonly variables: CniVariables;
  readonly stdin: string;
  readonly config: JsonObject;
  readonly networkName: string;
  readonly cniVersion: CniVersion;
}

/** Throws INVALID_ENVIRONMENT for CNI_ARGS, MALFORMED_JSON or INVALID_CONFIG for prevResult; a DEL takes any of these as absent. */
export function buildAttachmentRequest(command: AttachmentRequest["command"], parts: RequestParts): AttachmentRequest {
  const { containerId, netns, ifname, args } = parts.variables;
  const prevResult = leniently(command, undefined, () => readPrevResult(parts));
  return {
    command,
    ...buildCommon(parts),
    containerId,
    netns,
    ifname,
    args: leniently(command, {}, () => parseArguments(args)),
    ...(prevResult === undefined ? {} : { prevResult }),
    resultNeedsAddress: needsAddress(parts.cniVersion),
  };
}

/** Throws INVALID_CONFIG when the list of valid attachments is absent, null or malformed: guessing would delete what is in use. */
export function buildGcRequest(parts: RequestParts): GcRequest {
  const key = hasField(parts.config, "cni.dev/valid-attachments") ? "cni.dev/valid-attachments" : "cni.dev/attachments";
  const list = findField(parts.config, key);
  if (!Array.isArray(list)) throw attachmentsError(list === undefined ? "is missing" : "is no list");
  return { command: "GC", ...buildCommon(parts), validAttachments: list.map(parseAttachment) };
}

export function buildStatusRequest(parts: RequestParts): StatusRequest {
  return { command: "STATUS", ...buildCommon(parts) };
}

function buildCommon({ env, variables, stdin, config, networkName, cniVersion }: RequestParts): CniRequest {
  return { path: variables.path, cniVersion, networkName, rawConfig: config, stdin, trace: readTrace(env) };
}

/** DEL must come through whatever it is given: what cannot be read then counts as absent. */
function leniently<T>(command: AttachmentRequest["command"], fallback: T, read: () => T): T {
  if (command !== "DEL") return read();
  try {
    return read();
  } catch {
    return fallback;
  }
}

function readPrevResult({ config, cniVersion }: RequestParts): CniResult | undefined {
  const document = findField(config, "prevResult");
  if (document === undefined) return undefined;
  if (!isJsonObject(document)) throw malformed("prevResult is no object", "prevResult");
  return parsePrevResult(document, cniVersion);
}

function parseAttachment(value: unknown, index: number): AttachmentKey {
  const containerId = isJsonObject(value) ? findField(value, "containerID") : undefined;
  const ifname = isJsonObject(value) ? findField(value, "ifname") : undefined;
  const isNamed = typeof containerId === "string" && isIdentifier(containerId) && typeof ifname === "string" && ifname !== "";
  if (isNamed) return { containerId, ifname };
  throw attachmentsError(`has an entry [${index}] that names no attachment by containerID and ifname`);
}

function attachmentsError(problem: string): PluginError {
  return new PluginError("INVALID_CONFIG", {
    message: `cni.dev/valid-attachments ${problem}, nothing was released`,
    remedy: "list the attachments in use as {containerID, ifname}; an empty list releases all of them",
    field: "cni.dev/valid-attachments",
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    // The parser's own words quote the text around the fault, which may hold secrets: they are not passed on.
    throw malformed(`the configuration on stdin is not JSON (${text.length} characters)`, undefined, thrown);
  }
}

function malformed(message: string, field?: string, cause?: unknown): PluginError {
  const kind = cause instanceof Error ? cause.name : undefined;
  return new PluginError("MALFORMED_JSON", {
    message,
    remedy: "pass one plugin configuration as a JSON object",
    ...(field === undefined ? {} : { field }),
    ...(kind === undefined ? {} : { details: kind }),
  });
}
