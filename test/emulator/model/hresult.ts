/** HRESULTs the emulated service answers with, as unsigned 32-bit numbers. Source: Microsoft's HCNHResult page and Win32 error codes. */
export const HRESULT = {
  OK: 0,
  NETWORK_NOT_FOUND: 0x803b0001,
  ENDPOINT_NOT_FOUND: 0x803b0002,
  SUBNET_NOT_FOUND: 0x803b0005,
  ADAPTER_NOT_FOUND: 0x803b0006,
  PORT_NOT_FOUND: 0x803b0007,
  INVALID_NETWORK_TYPE: 0x803b000b,
  INVALID_ENDPOINT: 0x803b000c,
  INVALID_POLICY: 0x803b000d,
  INVALID_POLICY_TYPE: 0x803b000e,
  INVALID_REMOTE_ENDPOINT_OPERATION: 0x803b000f,
  NETWORK_ALREADY_EXISTS: 0x803b0010,
  POLICY_ALREADY_EXISTS: 0x803b0012,
  PORT_ALREADY_EXISTS: 0x803b0013,
  ENDPOINT_ALREADY_ATTACHED: 0x803b0014,
  REQUEST_UNSUPPORTED: 0x803b0015,
  MAPPING_NOT_SUPPORTED: 0x803b0016,
  INVALID_JSON: 0x803b001b,
  INVALID_JSON_REFERENCE: 0x803b001c,
  INVALID_IP: 0x803b001e,
  SWITCH_EXTENSION_NOT_FOUND: 0x803b001f,
  DEFAULT_NAMESPACE_EXISTS: 0x803b0029,
  ENDPOINT_IN_NAMESPACE: 0x803b002b,
  HAS_REFERENCES: 0x803b002c,
  INVALID_INTERNAL_PORT: 0x803b002d,
  ADDRESS_RESERVED: 0x803b002f,
  INVALID_PREFIX: 0x803b0030,
  INVALID_HANDLE: 0x80070006,
  INVALID_ARGUMENT: 0x80070057,
  ELEMENT_NOT_FOUND: 0x80070490,
  OBJECT_EXISTS: 0x80071392,
  RPC_UNAVAILABLE: 0x800706ba,
  RPC_CALL_FAILED: 0x800706be,
  /** Of the version 1 compute service: it knows no such system. */
  SYSTEM_NOT_FOUND: 0xc037010e,
  UNEXPECTED: 0x8000ffff,
} as const;

// Our own wording: callers must go by the code, and a trailing blank is what FormatMessage leaves behind.
const TEXTS: Readonly<Record<number, string>> = {
  [HRESULT.NETWORK_NOT_FOUND]: "The network was not found. ",
  [HRESULT.ENDPOINT_NOT_FOUND]: "The endpoint was not found. ",
  [HRESULT.SUBNET_NOT_FOUND]: "The subnet was not found. ",
  [HRESULT.PORT_NOT_FOUND]: "The port was not found. ",
  [HRESULT.INVALID_REMOTE_ENDPOINT_OPERATION]: "This cannot be done with a remote endpoint. ",
  [HRESULT.POLICY_ALREADY_EXISTS]: "The policy already exists. ",
  [HRESULT.SWITCH_EXTENSION_NOT_FOUND]: "The switch extension was not found. ",
  [HRESULT.DEFAULT_NAMESPACE_EXISTS]: "There is a default namespace already. ",
  [HRESULT.HAS_REFERENCES]: "Something refers to the object. ",
  [HRESULT.SYSTEM_NOT_FOUND]: "No virtual machine or container with this id exists. ",
  [HRESULT.ADAPTER_NOT_FOUND]: "The network adapter was not found. ",
  [HRESULT.INVALID_NETWORK_TYPE]: "The network type is invalid. ",
  [HRESULT.INVALID_ENDPOINT]: "The endpoint is invalid. ",
  [HRESULT.INVALID_POLICY]: "The policy is invalid. ",
  [HRESULT.INVALID_POLICY_TYPE]: "The policy type is invalid. ",
  [HRESULT.NETWORK_ALREADY_EXISTS]: "The network already exists. ",
  [HRESULT.PORT_ALREADY_EXISTS]: "The specified port already exists. ",
  [HRESULT.ENDPOINT_ALREADY_ATTACHED]: "The endpoint is already attached. ",
  [HRESULT.REQUEST_UNSUPPORTED]: "The request is unsupported. ",
  [HRESULT.MAPPING_NOT_SUPPORTED]: "Port mapping is not supported on this network. ",
  [HRESULT.INVALID_JSON]: "The JSON document is invalid. ",
  [HRESULT.INVALID_JSON_REFERENCE]: "The JSON document holds an invalid reference. ",
  [HRESULT.INVALID_IP]: "The IP address is invalid. ",
  [HRESULT.ENDPOINT_IN_NAMESPACE]: "The endpoint already has a namespace. ",
  [HRESULT.INVALID_INTERNAL_PORT]: "The internal port is invalid. ",
  [HRESULT.ADDRESS_RESERVED]: "An address provided is invalid or reserved. ",
  [HRESULT.INVALID_PREFIX]: "Prefix is invalid. ",
  [HRESULT.INVALID_HANDLE]: "The handle is invalid. ",
  [HRESULT.INVALID_ARGUMENT]: "The parameter is incorrect. ",
  [HRESULT.ELEMENT_NOT_FOUND]: "Element not found. ",
  [HRESULT.OBJECT_EXISTS]: "The object already exists. ",
  [HRESULT.RPC_UNAVAILABLE]: "The RPC server is unavailable. ",
  [HRESULT.RPC_CALL_FAILED]: "The remote procedure call failed. ",
};

/** A refusal by the service. `detail` is for people reading a test's output; it never changes the code. */
export class HnsError extends Error {
  readonly hresult: number;

  constructor(hresult: number, detail?: string) {
    super(detail === undefined ? hresultText(hresult) : `${hresultText(hresult)}(${detail}) `);
    this.name = "HnsError";
    this.hresult = hresult;
  }
}

export function hresultText(hresult: number): string {
  return TEXTS[hresult] ?? `Error 0x${hresult.toString(16).padStart(8, "0")}. `;
}

/** The JSON text of an error record, as the `PWSTR* error` argument of an export carries it. */
export function buildErrorRecord(hresult: number, message: string): string {
  return JSON.stringify({ Success: false, Error: message, ErrorCode: hresult });
}
