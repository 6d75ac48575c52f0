import { findMac, type Mac } from "../../core/base/ids.ts";
import { type Family, formatIp, type IpAddress } from "../../core/base/ip.ts";
import type { AddressOrigin, Uplink, UplinkAddress, UplinkRoute } from "../../core/engine/prepare/uplink.ts";
import type { Pointer } from "../ffi/library.ts";
import { ADDRESS_ROW, type IpHelper, NO_ERROR, readAddress, requireTable, systemFailed } from "./ip-helper.ts";

/** MIB_IF_ROW2 (netioapi.h, x64). */
const IF_ROW = {
  size: 1352,
  luid: 0,
  alias: 28,
  macLength: 1056,
  mac: 1060,
  mtu: 1124,
  type: 1128,
  flags: 1152,
  operStatus: 1156,
} as const;
const ALIAS_BYTES = 514;
const FLAG_HARDWARE = 1;
const FLAG_FILTER = 2;
const STATUS_UP = 1;
/** IANA's ethernetCsmacd and ieee80211. */
const ETHERNET_TYPES = [6, 71];
/** HNS and Hyper-V name the management interface of a switch so, in every language of Windows. */
const MANAGEMENT_NAME = /^vEthernet\b/i;
/** MIB_IPFORWARD_ROW2 (netioapi.h, x64). */
export const ROUTE_ROW = {
  size: 104,
  luid: 0,
  destination: 12,
  prefixLength: 40,
  nextHop: 44,
  metric: 84,
  protocol: 88,
  loopback: 92,
} as const;
/** NL_ROUTE_PROTOCOL: Local is for those that an address brings by itself. */
const PROTOCOL_LOCAL = 2;
/** NL_PREFIX_ORIGIN and NL_SUFFIX_ORIGIN. */
const ORIGIN_MANUAL = 1;
const ORIGIN_DHCP = 3;
const SUFFIX_LINK_LAYER = 4;
const SUFFIX_RANDOM = 5;
/** IP_ADAPTER_ADDRESSES and IP_ADAPTER_DNS_SERVER_ADDRESS (iptypes.h, x64). */
const ADAPTER = { size: 448, next: 8, firstDns: 48, flags: 92, luid: 224 } as const;
const ADAPTER_DHCP = 4;
const DNS = { size: 32, next: 8, address: 16, addressLength: 24 } as const;
const ALL_FAMILIES = 0;
const SKIP_ALL_BUT_DNS = 0x1 | 0x2 | 0x4;
const ADAPTERS_BYTES = 256 * 1024;
/** No interface has IP. */
const ERROR_NO_DATA = 232;

/** An uplink, and how Windows calls its interface: apart, since uplinks are written as JSON. */
export interface WindowsUplink {
  readonly luid: bigint;
  readonly uplink: Uplink;
}

/** Reads cards and management interfaces; keeps one piece of memory for Windows to write its answers to. */
export class InterfaceReader {
  readonly #helper: IpHelper;
  #buffer: Pointer | undefined;

  constructor(helper: IpHelper) {
    this.#helper = helper;
  }

  /** In Windows' order. Throws IO_FAILURE where it does not tell them, or not all of them: what is not known cannot be given back. */
  list(): WindowsUplink[] {
    const rows = requireTable(this.#helper, "GetIfTable2", { rowSize: IF_ROW.size });
    const settings = this.#readSettings();
    return rows.flatMap((row) => {
      const kind = kindOf(row);
      const mac = readMac(row);
      if (kind === undefined || mac === undefined) return [];
      const luid = row.getBigUint64(IF_ROW.luid, true);
      const { isDhcp = false, dns = [] } = settings.get(luid) ?? {};
      const base = { name: readAlias(row), kind, mac, isUp: row.getUint32(IF_ROW.operStatus, true) === STATUS_UP };
      const addresses = this.#readAddresses(luid);
      const routes = this.#readRoutes(luid, isDhcp);
      return [{ luid, uplink: { ...base, isDhcp, addresses, routes, dns, mtu: row.getUint32(IF_ROW.mtu, true) } }];
    });
  }

  #readAddresses(luid: bigint): UplinkAddress[] {
    return ([4, 6] as const).flatMap((family) => {
      const rows = requireTable(this.#helper, "GetUnicastIpAddressTable", { rowSize: ADDRESS_ROW.size, family });
      return rows
        .filter((row) => row.getBigUint64(ADDRESS_ROW.luid, true) === luid)
        .flatMap((row) => {
          const address = readAddress(row);
          if (address === undefined) return [];
          return [{ address: `${formatIp(address)}/${row.getUint8(ADDRESS_ROW.prefixLength)}`, origin: readOrigin(row, family) }];
        });
    });
  }

  /** Without those of an address itself, and those to the machine itself. */
  #readRoutes(luid: bigint, isDhcp: boolean): UplinkRoute[] {
    return ([4, 6] as const).flatMap((family) => {
      const rows = requireTable(this.#helper, "GetIpForwardTable2", { rowSize: ROUTE_ROW.size, family });
      return rows
        .filter((row) => row.getBigUint64(ROUTE_ROW.luid, true) === luid && !isOwn(row))
        .flatMap((row) => {
          const [network, nextHop] = [readAddress(row, ROUTE_ROW.destination), readAddress(row, ROUTE_ROW.nextHop)];
          if (network === undefined || nextHop === undefined) return [];
          const destination = `${formatIp(network)}/${row.getUint8(ROUTE_ROW.prefixLength)}`;
          const isLeased = isDhcp && destination === "0.0.0.0/0";
          return [{ destination, nextHop: formatIp(nextHop), metric: row.getUint32(ROUTE_ROW.metric, true), isPersistent: !isLeased }];
        });
    });
  }

  /** DHCP and name servers by LUID, of the interfaces that have IP. */
  #readSettings(): Map<bigint, { isDhcp: boolean; dns: string[] }> {
    const { ffi, iphlpapi } = this.#helper;
    const found = new Map<bigint, { isDhcp: boolean; dns: string[] }>();
    this.#buffer ??= ffi.allocate(new Uint8Array(ADAPTERS_BYTES));
    const size = Uint32Array.of(ADAPTERS_BYTES);
    const get = iphlpapi.find("GetAdaptersAddresses", "uint32", ["uint32", "uint32", "pointer", "pointer", "bytes"]);
    if (get === undefined) throw systemFailed("this Windows does not export GetAdaptersAddresses");
    const status = Number(get.call(ALL_FAMILIES, SKIP_ALL_BUT_DNS, null, this.#buffer, new Uint8Array(size.buffer)));
    if (status === ERROR_NO_DATA) return found;
    if (status !== NO_ERROR) throw systemFailed(`GetAdaptersAddresses answered ${status}`);
    for (const adapter of this.#walk(this.#buffer, ADAPTER)) {
      const dns = this.#walk(adapter.getBigUint64(ADAPTER.firstDns, true), DNS).flatMap((server) => this.#readServer(server));
      const isDhcp = (adapter.getUint32(ADAPTER.flags, true) & ADAPTER_DHCP) !== 0;
      found.set(adapter.getBigUint64(ADAPTER.luid, true), { isDhcp, dns });
    }
    return found;
  }

  #walk(first: Pointer, { size, next }: { readonly size: number; readonly next: number }): DataView[] {
    const found: DataView[] = [];
    for (let at = first; at !== 0n;) {
      const view = new DataView(this.#helper.ffi.readBytes(at, size).buffer);
      found.push(view);
      at = view.getBigUint64(next, true);
    }
    return found;
  }

  #readServer(server: DataView): string[] {
    const [pointer, length] = [server.getBigUint64(DNS.address, true), server.getInt32(DNS.addressLength, true)];
    if (pointer === 0n || length < 16) return [];
    const address = readAddress(new DataView(this.#helper.ffi.readBytes(pointer, length).buffer));
    return address === undefined || isSiteLocal(address) ? [] : [formatIp(address)];
  }
}

/** fec0::/10: what Windows shows as IPv6 name servers where nobody gave any. */
function isSiteLocal(address: IpAddress): boolean {
  return address.family === 6 && address.value >> 118n === 0x3fbn;
}

function kindOf(row: DataView): Uplink["kind"] | undefined {
  const flags = row.getUint8(IF_ROW.flags);
  if ((flags & FLAG_FILTER) !== 0 || !ETHERNET_TYPES.includes(row.getUint32(IF_ROW.type, true))) return undefined;
  if (MANAGEMENT_NAME.test(readAlias(row))) return "management";
  return (flags & FLAG_HARDWARE) === 0 ? undefined : "adapter";
}

function readAlias(row: DataView): string {
  const text = new TextDecoder("utf-16le").decode(new Uint8Array(row.buffer, row.byteOffset + IF_ROW.alias, ALIAS_BYTES));
  return text.slice(0, text.indexOf("\0"));
}

function readMac(row: DataView): Mac | undefined {
  if (row.getUint32(IF_ROW.macLength, true) !== 6) return undefined;
  const bytes = new Uint8Array(row.buffer, row.byteOffset + IF_ROW.mac, 6);
  return findMac([...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("-"));
}

function readOrigin(row: DataView, family: Family): AddressOrigin {
  const [prefix, suffix] = [row.getUint32(ADDRESS_ROW.prefixOrigin, true), row.getUint32(ADDRESS_ROW.suffixOrigin, true)];
  if (prefix === ORIGIN_DHCP) return "dhcp";
  if (prefix === ORIGIN_MANUAL) return "static";
  const isMadeUp = suffix === SUFFIX_LINK_LAYER || suffix === SUFFIX_RANDOM;
  return family === 4 || isMadeUp ? "link-local" : "other";
}

function isOwn(row: DataView): boolean {
  return row.getUint32(ROUTE_ROW.protocol, true) === PROTOCOL_LOCAL || row.getUint8(ROUTE_ROW.loopback) !== 0;
}
