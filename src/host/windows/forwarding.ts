import { type Clock, deadlineIn, poll } from "../../core/base/async.ts";
import { PluginError } from "../../core/base/errors.ts";
import { formatIp, type IpAddress } from "../../core/base/ip.ts";
import type { Ffi, NativeLibrary } from "../ffi/library.ts";
import { ADDRESS_ROW, FAMILIES, type IpHelper, NO_ERROR, readAddress, readTable } from "./ip-helper.ts";

const RETRY_MS = 100;
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
  const luid = await poll(clock, { deadline: deadlineIn(clock, waitMs), intervalMs: RETRY_MS }, () => findLuid({ ffi, iphlpapi }, address));
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
function findLuid(helper: IpHelper, address: IpAddress): bigint | undefined {
  const rows = readTable(helper, "GetUnicastIpAddressTable", { rowSize: ADDRESS_ROW.size, family: address.family }) ?? [];
  const row = rows.find((one) => readAddress(one)?.value === address.value);
  return row?.getBigUint64(ADDRESS_ROW.luid, true);
}

function failed(address: IpAddress, reason: string): PluginError {
  const message = `forwarding could not be enabled on the interface with ${formatIp(address)}: ${reason}`;
  return new PluginError(
    "FORWARDING_FAILED",
    { message, remedy: "check that the host endpoint is attached to the host" },
    { retryable: true },
  );
}
