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

/**
 * The rows of one of Windows' tables, each as a view of its own copy; undefined where this Windows has no such table, or refuses it. A
 * table of one address family takes its number.
 */
export function readTable(
  { ffi, iphlpapi }: IpHelper,
  name: string,
  { rowSize, family }: { rowSize: number; family?: Family },
): DataView[] | undefined {
  const table: Out<Pointer> = [null];
  const get = iphlpapi.find(name, "uint32", family === undefined ? ["out pointer"] : ["uint32", "out pointer"]);
  const status = family === undefined ? get?.call(table) : get?.call(FAMILIES[family], table);
  if (status !== NO_ERROR || table[0] === null) return undefined;
  const count = new DataView(ffi.readBytes(table[0], 4).buffer).getUint32(0, true);
  const bytes = ffi.readBytes(table[0], TABLE_HEADER + count * rowSize);
  iphlpapi.find("FreeMibTable", "void", ["pointer"])?.call(table[0]);
  return Array.from({ length: count }, (_, index) => new DataView(bytes.buffer, TABLE_HEADER + index * rowSize, rowSize));
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
