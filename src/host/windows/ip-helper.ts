import { PluginError } from "../../core/base/errors.ts";
import type { Family, IpAddress } from "../../core/base/ip.ts";
import type { Ffi, NativeLibrary, Out, Pointer } from "../ffi/library.ts";

/** Windows' IP helper library, and what reads its memory. */
export interface IpHelper {
  readonly ffi: Ffi;
  readonly iphlpapi: NativeLibrary;
}

/** Address families, as Windows numbers them. */
export const FAMILIES = { 4: 2, 6: 23 } as const;
export const NO_ERROR = 0;
/** Of SOCKADDR_INET (ws2ipdef.h): the family first, the address of IPv4 at 4, that of IPv6 at 8, in network byte order. */
const SOCKADDR = { v4: 4, v6: 8 } as const;
/** Of every MIB_…_TABLE: the count, then the rows (netioapi.h, x64). */
const TABLE_HEADER = 8;
/** MIB_UNICASTIPADDRESS_ROW (netioapi.h, x64). */
export const ADDRESS_ROW = { size: 80, luid: 32, prefixOrigin: 44, suffixOrigin: 48, prefixLength: 60 } as const;

/** What a table of which there is nothing answers: ERROR_FILE_NOT_FOUND, ERROR_NOT_FOUND, and ERROR_NOT_SUPPORTED for a family that is not installed. */
const NOTHING = [2, 1168, 50];

interface TableOptions {
  readonly rowSize: number;
  readonly family?: Family;
}

/**
 * The rows of one of Windows' tables, each as a view of its own copy; undefined where this Windows has no such table, or refuses it, which
 * `refused` is told. A table of one address family takes its number.
 */
export function readTable(
  { ffi, iphlpapi }: IpHelper,
  name: string,
  { rowSize, family }: TableOptions,
  refused?: (status: unknown) => void,
): DataView[] | undefined {
  const table: Out<Pointer> = [null];
  const get = iphlpapi.find(name, "uint32", family === undefined ? ["out pointer"] : ["uint32", "out pointer"]);
  const status = family === undefined ? get?.call(table) : get?.call(FAMILIES[family], table);
  if (status !== NO_ERROR || table[0] === null) {
    refused?.(status);
    return undefined;
  }
  const count = new DataView(ffi.readBytes(table[0], 4).buffer).getUint32(0, true);
  const bytes = ffi.readBytes(table[0], TABLE_HEADER + count * rowSize);
  iphlpapi.find("FreeMibTable", "void", ["pointer"])?.call(table[0]);
  return Array.from({ length: count }, (_, index) => new DataView(bytes.buffer, TABLE_HEADER + index * rowSize, rowSize));
}

/** The same, where a table that cannot be read must not pass for one that is empty. Throws IO_FAILURE. */
export function requireTable(helper: IpHelper, name: string, options: TableOptions): DataView[] {
  const rows = readTable(helper, name, options, (status) => {
    if (status === undefined) throw systemFailed(`this Windows does not export ${name}`);
    if (!NOTHING.includes(Number(status))) throw systemFailed(`${name} answered ${Number(status)}`);
  });
  return rows ?? [];
}

export function systemFailed(message: string): PluginError {
  const remedy = "run the command as an administrator; set what is missing by hand if it goes on";
  return new PluginError("IO_FAILURE", { message, remedy });
}

/** The address of a SOCKADDR_INET, or of the SOCKADDR that begins as it does; undefined for another family than IP's. */
export function readAddress(view: DataView, at = 0): IpAddress | undefined {
  const family = view.getUint16(at, true);
  if (family === FAMILIES[4]) return { family: 4, value: view.getUint32(at + SOCKADDR.v4) };
  if (family !== FAMILIES[6]) return undefined;
  return { family: 6, value: (view.getBigUint64(at + SOCKADDR.v6) << 64n) | view.getBigUint64(at + SOCKADDR.v6 + 8) };
}

/** Fills a SOCKADDR_INET. */
export function writeAddress(view: DataView, at: number, address: IpAddress): void {
  view.setUint16(at, FAMILIES[address.family], true);
  if (address.family === 4) {
    view.setUint32(at + SOCKADDR.v4, address.value);
    return;
  }
  view.setBigUint64(at + SOCKADDR.v6, address.value >> 64n);
  view.setBigUint64(at + SOCKADDR.v6 + 8, address.value & 0xffff_ffff_ffff_ffffn);
}
