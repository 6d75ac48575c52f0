import { PluginError, toPluginError } from "../base/errors.ts";
import type { ErrorCode, ErrorData } from "../base/errors.ts";
import type { Command } from "./environment.ts";
import type { CniVersion } from "./version.ts";

/** The error document of the CNI specification. */
export interface ErrorObject {
  readonly cniVersion: CniVersion;
  readonly code: number;
  readonly msg: string;
  readonly details?: string;
}

/** Where an error came from: its number under STATUS depends on whether the request was understood. */
export interface ErrorContext {
  /** Undefined while the command itself is not known. */
  readonly command: Command | undefined;
  readonly cniVersion: CniVersion;
  readonly stage: "request" | "handler";
}

const CODES: Readonly<Record<ErrorCode, number>> = {
  INCOMPATIBLE_VERSION: 1,
  UNSUPPORTED_FIELD: 2,
  INVALID_ENVIRONMENT: 4,
  IO_FAILURE: 5,
  STATE_FAILURE: 5,
  STATE_DAMAGED: 5,
  MALFORMED_JSON: 6,
  INVALID_CONFIG: 7,
  INVALID_NAMESPACE: 8,
  HNS_UNAVAILABLE: 11,
  HNS_TIMEOUT: 11,
  ADDRESS_EXHAUSTED: 11,
  ADDRESS_CONFLICT: 11,
  ATTACHMENT_BUSY: 11,
  ATTACHMENT_CANCELLED: 11,
  AGENT_SILENT: 11,
  OPERATION_TIMEOUT: 11,
  NETWORK_NOT_READY: 11,
  FORWARDING_FAILED: 11,
  CLEANUP_FAILED: 11,
  DELEGATE_FAILED: 104, // or the plugin's own number, where the specification defines it
  HNS_REFUSED: 101, // 11 when a repeat may succeed
  NETWORK_MISMATCH: 102,
  CHECK_FAILED: 103,
  INTERNAL: 999,
};

/** Faults of the request itself: STATUS reports them as they are, since they say nothing about the network. */
const REQUEST_FAULTS: ReadonlySet<ErrorCode> = new Set([
  "INVALID_ENVIRONMENT",
  "INCOMPATIBLE_VERSION",
  "UNSUPPORTED_FIELD",
  "MALFORMED_JSON",
  "INVALID_CONFIG",
]);

/**
 * The error document for any thrown value; never throws. `msg` is one line: cause, then remedy. `details` holds the error's own details,
 * the HRESULT as 0x and eight digits, and the causes. Under DEL no text contains what runtimes take as "already gone" and swallow.
 */
export function buildErrorObject(thrown: unknown, context: ErrorContext): ErrorObject {
  const error = readError(thrown);
  const clean = (text: string): string => (context.command === "DEL" ? withoutSwallowedWords(oneLine(text)) : oneLine(text));
  const details = clean(buildDetails(error));
  return {
    cniVersion: context.cniVersion,
    code: findCode(error, context),
    msg: clean(buildMessage(error)),
    ...(details === "" ? {} : { details }),
  };
}

function findCode(error: PluginError, { command, stage }: ErrorContext): number {
  if (command === "STATUS" && stage === "handler" && !REQUEST_FAULTS.has(error.code)) {
    const data: ErrorData = error.data;
    return data.existingContainersAffected === true ? 51 : 50;
  }
  if (error.code === "HNS_REFUSED" && error.retryable) return 11;
  if (error.code === "DELEGATE_FAILED" && error.data.cniCode !== undefined) return error.data.cniCode;
  return CODES[error.code];
}

/** Code 2 must name the field; other errors name it where their message does not. */
function buildMessage({ data }: PluginError): string {
  const { message, remedy, field } = data;
  const cause = field === undefined || message.includes(field) ? message : `${field}: ${message}`;
  if (remedy === undefined || remedy === "") return cause;
  return cause.endsWith(".") ? `${cause} ${remedy}` : `${cause}; ${remedy}`;
}

function buildDetails(error: PluginError): string {
  const { details, hresult } = error.data;
  const code = hresult === undefined ? undefined : `HRESULT 0x${(hresult >>> 0).toString(16).padStart(8, "0")}`;
  return [details, code, ...listCauses(error)].filter((part) => part !== undefined && part !== "").join("; ");
}

/** Messages of the chain of causes, outermost first, without repeats; a chain that loops ends at the limit. */
function listCauses(error: PluginError): string[] {
  const messages = new Set<string>();
  let cause: unknown = error.cause;
  for (let depth = 0; depth < 5 && cause instanceof Error; depth++) {
    if (cause.message !== "" && !error.data.message.includes(cause.message)) messages.add(`caused by: ${cause.message}`);
    cause = cause.cause;
  }
  return [...messages];
}

/** Thrown values can be hostile (no prototype, a getter that throws); what cannot be read is reported as just that. */
function readError(thrown: unknown): PluginError {
  try {
    const error = toPluginError(thrown);
    // Reading everything here keeps any surprise inside this function.
    const texts = [error.data.message, buildMessage(error), buildDetails(error)];
    if (texts.every((text) => typeof text === "string") && Object.hasOwn(CODES, error.code)) return error;
  } catch {
    // Falls through to the error that is known to be readable.
  }
  return new PluginError("INTERNAL", { message: "a value was thrown that cannot be read", remedy: "report this with the log file" });
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

/** containerd treats a failed DEL as done when its text has these words, so that a sandbox would leak without another try. */
function withoutSwallowedWords(line: string): string {
  return line.replaceAll(/not found/gi, "absent").replaceAll(/no such file or directory/gi, "path is absent");
}
