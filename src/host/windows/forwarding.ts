import { type Clock, deadlineIn, poll } from "../../core/base/async.ts";
import { PluginError } from "../../core/base/errors.ts";
import { formatIp, type IpAddress } from "../../core/base/ip.ts";
import type { Ffi, NativeLibrary, Out, Pointer } from "../ffi/library.ts";

/** Address families, as Windows numbers them. */
const FAMILIES = { 4: 2, 6: 23 } as const;
const NO_ERROR = 0;
const RETRY_MS = 100;
/**
 * MIB_UNICASTIPADDRESS_TABLE: the count, then rows of this size, each with a SOCKADDR_INET (the address of IPv4 at 4, that of IPv6 at 8) and
 * the LUID at 32 (netioapi.h, ws2ipdef.h, x64).
 */
const TABLE_HEADER = 8;
const ADDRESS_ROW = { size: 80, v4: 4, v6: 8, luid: 32 } as const;
/** MIB_IPINTERFACE_ROW (netioapi.h, x64). */
const INTERFACE_ROW = { size: 168, luid: 8, forwarding: 41, sitePrefixLength: 144 } as const;

/**
 * Enables forwarding of the address's family on the interface that has `address`. HNS brings the interface up some time after the attach, so this
 * waits for it. Throws FORWARDING_FAILED when the interface does not come or Windows refuses.
 */
export async function enableForwarding(
  options: { ffi: Ffi; iphlpapi: NativeLibrary; clock: Clock },
  address: IpAddress,
  waitMs: number,
): Promise<"enabled" | "missing"> {
  const { ffi, iphlpapi, clock } = options;
  const set = iphlpapi.find("SetIpInterfaceEntry", "uint32", ["bytes"]);
  const get = iphlpapi.find("GetIpInterfaceEntry", "uint32", ["bytes"]);
  if (set === undefined || get === undefined) return "missing";
  const luid = await poll(clock, { deadline: deadlineIn(clock, waitMs), intervalMs: RETRY_MS }, () => findLuid(ffi, iphlpapi, address));
  if (luid === undefined) throw failed(address, "no interface has it");
  const row = new Uint8Array(INTERFACE_ROW.size);
  const view = new DataView(row.buffer);
  view.setUint16(0, FAMILIES[address.family], true);
  view.setBigUint64(INTERFACE_ROW.luid, luid, true);
  const found = Number(get.call(row));
  if (found !== NO_ERROR) throw failed(address, `GetIpInterfaceEntry answered ${found}`);
  if (row[INTERFACE_ROW.forwarding] === 1) return "enabled";
  row[INTERFACE_ROW.forwarding] = 1;
  if (address.family === 4) view.setUint32(INTERFACE_ROW.sitePrefixLength, 0, true); // documented as a must, and Get does not leave it so
  const changed = Number(set.call(row));
  if (changed !== NO_ERROR) throw failed(address, `SetIpInterfaceEntry answered ${changed}`);
  return "enabled";
}

/** The LUID of the interface with `address`; undefined while there is none. */
function findLuid(ffi: Ffi, iphlpapi: NativeLibrary, address: IpAddress): bigint | undefined {
  const table: Out<Pointer> = [null];
  const status = iphlpapi.find("GetUnicastIpAddressTable", "uint32", ["uint32", "out pointer"])?.call(FAMILIES[address.family], table);
  if (status !== NO_ERROR || table[0] === null) return undefined;
  const count = new DataView(ffi.readBytes(table[0], 4).buffer).getUint32(0, true);
  const rows = new DataView(ffi.readBytes(table[0], TABLE_HEADER + count * ADDRESS_ROW.size).buffer);
  iphlpapi.find("FreeMibTable", "void", ["pointer"])?.call(table[0]);
  for (let index = 0; index < count; index++) {
    const row = TABLE_HEADER + index * ADDRESS_ROW.size;
    if (hasAddress(rows, row, address)) return rows.getBigUint64(row + ADDRESS_ROW.luid, true);
  }
  return undefined;
}

/** Addresses lie in network byte order. */
function hasAddress(rows: DataView, row: number, address: IpAddress): boolean {
  if (address.family === 4) return rows.getUint32(row + ADDRESS_ROW.v4) === address.value;
  const at = row + ADDRESS_ROW.v6;
  return ((rows.getBigUint64(at) << 64n) | rows.getBigUint64(at + 8)) === address.value;
}

function failed(address: IpAddress, reason: string): PluginError {
  const message = `forwarding could not be enabled on the interface with ${formatIp(address)}: ${reason}`;
  return new PluginError(
    "FORWARDING_FAILED",
    { message, remedy: "check that the host endpoint is attached to the host" },
    { retryable: true },
  );
}
