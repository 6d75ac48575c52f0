import { PluginError } from "../base/errors.ts";
import { hresultTexts } from "./hresult-texts.ts";

/** What an HRESULT of HNS means to the person who has to act on it. `code` is unsigned. */
export interface HresultEntry {
  readonly code: number;
  readonly name: string;
  readonly cause: string;
  readonly remedy: string;
  /** The same call can succeed later without anybody changing anything. */
  readonly retryable: boolean;
}

// Names: winerror.h, Microsoft's HCNHResult page. 0x803b00xx are HNS's own, 0x8007xxxx are Win32 errors as HRESULTs.
const NAMES: Readonly<Record<number, string>> = {
  0x803b0001: "HCN_E_NETWORK_NOT_FOUND",
  0x803b0002: "HCN_E_ENDPOINT_NOT_FOUND",
  0x803b0003: "HCN_E_LAYER_NOT_FOUND",
  0x803b0004: "HCN_E_SWITCH_NOT_FOUND",
  0x803b0005: "HCN_E_SUBNET_NOT_FOUND",
  0x803b0006: "HCN_E_ADAPTER_NOT_FOUND",
  0x803b0007: "HCN_E_PORT_NOT_FOUND",
  0x803b0008: "HCN_E_POLICY_NOT_FOUND",
  0x803b0009: "HCN_E_VFP_PORTSETTING_NOT_FOUND",
  0x803b000a: "HCN_E_INVALID_NETWORK",
  0x803b000b: "HCN_E_INVALID_NETWORK_TYPE",
  0x803b000c: "HCN_E_INVALID_ENDPOINT",
  0x803b000d: "HCN_E_INVALID_POLICY",
  0x803b000e: "HCN_E_INVALID_POLICY_TYPE",
  0x803b000f: "HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION",
  0x803b0010: "HCN_E_NETWORK_ALREADY_EXISTS",
  0x803b0011: "HCN_E_LAYER_ALREADY_EXISTS",
  0x803b0012: "HCN_E_POLICY_ALREADY_EXISTS",
  0x803b0013: "HCN_E_PORT_ALREADY_EXISTS",
  0x803b0014: "HCN_E_ENDPOINT_ALREADY_ATTACHED",
  0x803b0015: "HCN_E_REQUEST_UNSUPPORTED",
  0x803b0016: "HCN_E_MAPPING_NOT_SUPPORTED",
  0x803b0017: "HCN_E_DEGRADED_OPERATION",
  0x803b0018: "HCN_E_SHARED_SWITCH_MODIFICATION",
  0x803b0019: "HCN_E_GUID_CONVERSION_FAILURE",
  0x803b001a: "HCN_E_REGKEY_FAILURE",
  0x803b001b: "HCN_E_INVALID_JSON",
  0x803b001c: "HCN_E_INVALID_JSON_REFERENCE",
  0x803b001d: "HCN_E_ENDPOINT_SHARING_DISABLED",
  0x803b001e: "HCN_E_INVALID_IP",
  0x803b001f: "HCN_E_SWITCH_EXTENSION_NOT_FOUND",
  0x803b0020: "HCN_E_MANAGER_STOPPED",
  0x803b0021: "GCN_E_MODULE_NOT_FOUND",
  0x803b0022: "GCN_E_NO_REQUEST_HANDLERS",
  0x803b0023: "GCN_E_REQUEST_UNSUPPORTED",
  0x803b0024: "GCN_E_RUNTIMEKEYS_FAILED",
  0x803b0025: "GCN_E_NETADAPTER_TIMEOUT",
  0x803b0026: "GCN_E_NETADAPTER_NOT_FOUND",
  0x803b0027: "GCN_E_NETCOMPARTMENT_NOT_FOUND",
  0x803b0028: "GCN_E_NETINTERFACE_NOT_FOUND",
  0x803b0029: "GCN_E_DEFAULTNAMESPACE_EXISTS",
  0x803b002a: "HCN_E_ICS_DISABLED",
  0x803b002b: "HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS",
  0x803b002c: "HCN_E_ENTITY_HAS_REFERENCES",
  0x803b002d: "HCN_E_INVALID_INTERNAL_PORT",
  0x803b002e: "HCN_E_NAMESPACE_ATTACH_FAILED",
  0x803b002f: "HCN_E_ADDR_INVALID_OR_RESERVED",
  0x803b0030: "HCN_E_INVALID_PREFIX",
  0x803b0031: "HCN_E_OBJECT_USED_AFTER_UNLOAD",
  0x803b0032: "HCN_E_INVALID_SUBNET",
  0x803b0033: "HCN_E_INVALID_IP_SUBNET",
  0x803b0034: "HCN_E_ENDPOINT_NOT_ATTACHED",
  0x803b0035: "HCN_E_ENDPOINT_NOT_LOCAL",
  0x803b0036: "HCN_INTERFACEPARAMETERS_ALREADY_APPLIED",
  0x803b0037: "HCN_E_VFP_NOT_ALLOWED",
  0x80004005: "E_FAIL",
  0x80070002: "ERROR_FILE_NOT_FOUND",
  0x80070005: "ERROR_ACCESS_DENIED",
  0x80070006: "ERROR_INVALID_HANDLE",
  0x8007000e: "ERROR_OUTOFMEMORY",
  0x80070015: "ERROR_NOT_READY",
  0x80070032: "ERROR_NOT_SUPPORTED",
  0x80070057: "ERROR_INVALID_PARAMETER",
  0x8007007e: "ERROR_MOD_NOT_FOUND",
  0x8007007f: "ERROR_PROC_NOT_FOUND",
  0x800700aa: "ERROR_BUSY",
  0x800700b7: "ERROR_ALREADY_EXISTS",
  0x8007041d: "ERROR_SERVICE_REQUEST_TIMEOUT",
  0x80070422: "ERROR_SERVICE_DISABLED",
  0x80070424: "ERROR_SERVICE_DOES_NOT_EXIST",
  0x80070425: "ERROR_SERVICE_CANNOT_ACCEPT_CTRL",
  0x80070426: "ERROR_SERVICE_NOT_ACTIVE",
  0x8007045b: "ERROR_SHUTDOWN_IN_PROGRESS",
  0x80070490: "ERROR_NOT_FOUND",
  0x800705aa: "ERROR_NO_SYSTEM_RESOURCES",
  0x800705b4: "ERROR_TIMEOUT",
  0x800706ba: "RPC_S_SERVER_UNAVAILABLE",
  0x800706bb: "RPC_S_SERVER_TOO_BUSY",
  0x800706be: "RPC_S_CALL_FAILED",
  0x800706bf: "RPC_S_CALL_FAILED_DNE",
  0x80071392: "ERROR_OBJECT_ALREADY_EXISTS",
  0x8007139f: "ERROR_INVALID_STATE",
};

const TRANSIENT: Readonly<Record<number, true>> = {
  0x803b0020: true, // HNS is stopping
  0x803b0025: true, // the guest's adapter took too long to appear
  0x80070015: true, // device not ready
  0x800700aa: true, // busy
  0x8007041d: true, // the service did not answer in time
  0x80070425: true, // the service is starting or stopping
  0x80070426: true, // the service is not running
  0x800705aa: true, // out of system resources
  0x800705b4: true, // timeout
  0x800706ba: true, // RPC server unavailable
  0x800706bb: true, // RPC server too busy
  0x800706be: true, // RPC call failed: the service went away during it
  0x800706bf: true, // RPC call failed before it was carried out
};

const UNKNOWN_REMEDY =
  "Look the number up in Microsoft's HRESULT lists, and read the Host-Network-Service logs in the Event Viewer at the time of the call.";

/** Every code of the table, unsigned, in ascending order. */
export function listHresults(): number[] {
  return Object.keys(NAMES).map(Number);
}

/** The table's entry for `code` (signed or unsigned); undefined when the table has none. */
export function findHresult(code: number): HresultEntry | undefined {
  const unsigned = code >>> 0;
  const name = NAMES[unsigned];
  if (name === undefined) return undefined;
  const [cause, remedy] = hresultTexts[unsigned] ?? ["", ""];
  return { code: unsigned, name, cause, remedy, retryable: isTransient(unsigned) };
}

/** Like findHresult, with a general entry named `UNKNOWN` for a code that the table lacks. */
export function describeHresult(code: number): HresultEntry {
  const entry = findHresult(code);
  if (entry !== undefined) return entry;
  const unsigned = code >>> 0;
  const win32 = unsigned >>> 16 === 0x8007;
  const cause = win32
    ? `Windows reported its error number ${unsigned & 0xffff}; HNS passed it on without an explanation of its own.`
    : "HNS answered with a code that this version does not know.";
  const remedy = win32 ? `Run "net helpmsg ${unsigned & 0xffff}" on the node for Windows' own text. ${UNKNOWN_REMEDY}` : UNKNOWN_REMEDY;
  return { code: unsigned, name: "UNKNOWN", cause, remedy, retryable: false };
}

/** `0x803b0014`: lower case, eight digits, whatever the sign of `code`. */
export function formatHresult(code: number): string {
  return `0x${(code >>> 0).toString(16).padStart(8, "0")}`;
}

/**
 * The HRESULT in `text`, unsigned: hex with 0x, eight bare hex digits, unsigned or negative decimal, or a log line that holds
 * one of these. Short hex numbers are Win32 errors (0x490 is 0x80070490), as Windows prints them.
 * Of several, a full-length code of the table is preferred, then a short one of the table, then the first failure code.
 * Undefined when `text` holds none.
 */
export function parseHresult(text: string): number | undefined {
  const full = [...findHex(text), ...findDecimals(text)];
  const known = [...full, ...findBareHex(text), ...findShortHex(text)].find(isKnown);
  if (known !== undefined) return known;
  // Within a longer line, an unknown short or bare number is more likely a flag or a hash than an error.
  const whole = text.trim();
  const isNumberOnly = !/[^0-9a-fx]/i.test(whole);
  return full[0] ?? (isNumberOnly ? [...findShortHex(whole), ...findBareHex(whole)][0] : undefined);
}

/** The unsigned HRESULT that `value` carries: a number of either sign, or a PluginError with `data.hresult`. */
export function hresultOf(value: unknown): number | undefined {
  const code = value instanceof PluginError ? value.data.hresult : value;
  return typeof code === "number" ? code >>> 0 : undefined;
}

export function isNetworkNotFound(value: unknown): boolean {
  return hresultOf(value) === 0x803b0001;
}

export function isEndpointNotFound(value: unknown): boolean {
  return hresultOf(value) === 0x803b0002;
}

/** Network, endpoint, or element (which is how HNS says it of namespaces, load balancers and routes) not found. */
export function isNotFound(value: unknown): boolean {
  return isNetworkNotFound(value) || isEndpointNotFound(value) || hresultOf(value) === 0x80070490;
}

/** The endpoint is attached already; says nothing about which namespace it is in. */
export function isAlreadyAttached(value: unknown): boolean {
  return hresultOf(value) === 0x803b0014;
}

/** HNS will not give this address to the endpoint: another one holds it, or it is reserved. */
export function isAddressInUse(value: unknown): boolean {
  const code = hresultOf(value);
  return code === 0x80071392 || code === 0x803b002f;
}

export function isNetworkExists(value: unknown): boolean {
  return hresultOf(value) === 0x803b0010;
}

/** HNS is stopping, starting, overloaded or cut off: the same call may succeed in a while. */
export function isTransient(value: unknown): boolean {
  const code = hresultOf(value);
  return code !== undefined && TRANSIENT[code] === true;
}

function isKnown(code: number): boolean {
  return NAMES[code] !== undefined;
}

// Some tools print HRESULTs as sign-extended 64-bit numbers, hence the optional leading f's.
function findHex(text: string): number[] {
  const matches = text.matchAll(/(?<!\w)0x(?:f{8})?([89a-f][0-9a-f]{7})(?!\w)/gi);
  return Array.from(matches, (match) => Number.parseInt(match[1] ?? "", 16));
}

function findShortHex(text: string): number[] {
  const matches = text.matchAll(/(?<!\w)0x0*([1-9a-f][0-9a-f]{0,3})(?!\w)/gi);
  return Array.from(matches, (match) => 0x80070000 + Number.parseInt(match[1] ?? "", 16));
}

// Nine or ten digits: every decimal form of a failure has as many, and dates, ports and counters mostly have not.
function findDecimals(text: string): number[] {
  const matches = text.matchAll(/(?<![\w.])(-?\d{9,10})(?!\w|\.\d|-\w)/g);
  const numbers = Array.from(matches, (match) => Number(match[1])).filter((number) => number >= -0x80000000 && number <= 0xffffffff);
  return numbers.filter((number) => number < 0 || number >= 0x80000000).map((number) => number >>> 0);
}

// Not the first group of a GUID, and no part of a longer hex number such as a container id.
function findBareHex(text: string): number[] {
  const matches = text.matchAll(/(?<![\w-])([89a-f][0-9a-f]{7})(?![\w-])/gi);
  return Array.from(matches, (match) => Number.parseInt(match[1] ?? "", 16));
}
