/**
 * The one error class of the product. Codes form a closed set; docs/errors.md lists each with cause and remedy, and only
 * core/cni/dispatch maps them to the numbers of the CNI specification.
 */
export type ErrorCode =
  | "INVALID_ENVIRONMENT" // CNI_* variables missing or malformed
  | "INCOMPATIBLE_VERSION" // cniVersion not supported, or too old for the command
  | "UNSUPPORTED_FIELD" // a field asks for what this plugin or this HNS cannot do
  | "MALFORMED_JSON" // stdin is no JSON object
  | "INVALID_CONFIG" // the network configuration has faults
  | "IO_FAILURE" // stdin, a file or a library could not be read or written
  | "INVALID_NAMESPACE" // the sandbox's host compute namespace is missing or unusable
  | "STATE_FAILURE" // the state database cannot be used
  | "STATE_DAMAGED" // what the state database holds cannot be true
  | "HNS_UNAVAILABLE" // the service or its library is not there
  | "HNS_TIMEOUT" // a call had no answer within its deadline
  | "HNS_REFUSED" // HNS answered with an error
  | "NETWORK_MISMATCH" // an existing HNS network differs from the configuration
  | "NETWORK_NOT_READY" // the network lacks something that HNS or an administrator must supply first
  | "ADDRESS_EXHAUSTED" // no free address
  | "ADDRESS_CONFLICT" // HNS refused every address that was tried
  | "ATTACHMENT_BUSY" // another process works on the same attachment
  | "ATTACHMENT_CANCELLED" // a DEL overtook this ADD
  | "CHECK_FAILED" // the attachment differs from what ADD made
  | "AGENT_SILENT" // the agent is at work and does not answer
  | "OPERATION_TIMEOUT" // the whole operation ran out of time
  | "FORWARDING_FAILED" // forwarding could not be enabled on the host endpoint
  | "DELEGATE_FAILED" // the IPAM plugin that the configuration names answered with an error
  | "CLEANUP_FAILED" // some steps of DEL or GC failed
  | "INTERNAL";

/** Facts about an error. `hresult` is the unsigned 32-bit code HNS gave; `remedy` says what the reader can do next. */
export interface ErrorData {
  readonly message: string;
  readonly remedy?: string;
  readonly details?: string;
  readonly hresult?: number;
  readonly field?: string;
  /** Containers that run already may suffer too; STATUS tells this apart. */
  readonly existingContainersAffected?: boolean;
  /** The number in another plugin's error, where its meaning is the specification's. */
  readonly cniCode?: number;
}

export interface ErrorOptions {
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/**
 * The executable holds two programs with a copy of this class each: the plugin's, with all that touches the machine, and the command
 * line's. What one throws the other must know, so an error is told by this mark.
 */
const MARK = Symbol.for("hns-cni.PluginError");

export class PluginError extends Error {
  readonly code: ErrorCode;
  readonly data: ErrorData;
  readonly retryable: boolean;

  constructor(code: ErrorCode, data: ErrorData, options: ErrorOptions = {}) {
    super(data.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "PluginError";
    this.code = code;
    this.data = data;
    this.retryable = options.retryable ?? false;
  }

  get [MARK](): true {
    return true;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // A class below this one inherits the method, and means its own objects alone.
    if (this !== PluginError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && MARK in value;
  }
}

/** Any thrown value as a PluginError; what is not one already becomes INTERNAL with the original as its cause. */
export function toPluginError(thrown: unknown): PluginError {
  if (thrown instanceof PluginError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new PluginError("INTERNAL", { message, remedy: "report this with the log file" }, { cause: thrown });
}
