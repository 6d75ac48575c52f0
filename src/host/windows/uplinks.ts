import { findAddressWithPrefix, findIp, formatIp, type IpAddress, networkOf, width } from "../../core/base/ip.ts";
import { isDefault, type UplinkAccess, type UplinkAddress, type UplinkRoute } from "../../core/engine/prepare/uplink.ts";
import type { Ffi } from "../ffi/library.ts";
import { InterfaceReader, ROUTE_ROW, type WindowsUplink } from "./interfaces.ts";
import { ADDRESS_ROW, type IpHelper, NO_ERROR, systemFailed, writeAddress } from "./ip-helper.ts";
import { type Netsh, openNetsh } from "./netsh.ts";
import type { System32 } from "./system32.ts";

const ERROR_OBJECT_ALREADY_EXISTS = 5010;
/** MIB_IPNET_ROW2 (netioapi.h, x64). */
const NEIGHBOUR_ROW = { size: 88, luid: 32 } as const;
const PROTOCOL_NETMGMT = 3;

/**
 * The machine's network settings. Read by iphlpapi. Leased addresses and routes are written by it too: they last until the next start, which
 * asks DHCP and the list of persistent routes again. What has to last, static addresses and name servers, is written by netsh: iphlpapi
 * cannot end DHCP on an interface, and its addresses are gone after a start.
 */
export function openWindowsUplinks({ ffi, system32 }: { ffi: Ffi; system32: System32 }): UplinkAccess {
  return buildWindowsUplinks({ ffi, iphlpapi: system32.load("iphlpapi.dll") }, openNetsh(system32.directory()));
}

/** The same over a library and a netsh of the caller's. */
export function buildWindowsUplinks(helper: IpHelper, netsh: Netsh): UplinkAccess {
  const reader = new InterfaceReader(helper);
  return {
    list: async () => reader.list().map(({ uplink }) => uplink),
    addAddress: async (name, address, gateways) => {
      const found = findByName(reader, name);
      if (address.origin === "static") await writeStatic(netsh, found, address, gateways);
      else addLeased(helper, found, address);
    },
    addRoute: async (name, route) => addRoute(helper, findByName(reader, name), route),
    setDns: (name, servers) => writeDns(netsh, name, servers),
    reaches: async (name, neighbour) => await resolve(helper, findByName(reader, name), neighbour),
  };
}

function findByName(reader: InterfaceReader, name: string): WindowsUplink {
  const found = reader.list().find(({ uplink }) => uplink.name === name);
  if (found === undefined) throw systemFailed(`Windows has no network interface "${name}" any more`);
  return found;
}

/** One that is there is left alone. `set address` puts a static address in the place of all that is there; with other static ones it is added. */
async function writeStatic(
  netsh: Netsh,
  { uplink }: WindowsUplink,
  { address: text }: UplinkAddress,
  gateways: readonly string[],
): Promise<void> {
  const { address, prefix } = parsePrefixed(text);
  const { name, addresses, routes } = uplink;
  if (addresses.some((own) => own.origin === "static" && own.address === text)) return;
  if (address.family === 6) {
    await netsh(["interface", "ipv6", "add", "address", `interface=${name}`, `address=${text}`]);
    return;
  }
  const gateway = gateways.find((one) => findIp(one)?.family === 4);
  const hasStatic = addresses.some((own) => own.origin === "static" && findIp(own.address.replace(/\/.*/, ""))?.family === 4);
  const verb = hasStatic ? ["add", "address", `name=${name}`] : ["set", "address", `name=${name}`, "source=static"];
  const values = [`address=${formatIp(address)}`, `mask=${formatMask(prefix)}`];
  // `add` refuses a gateway that is there; `set` takes all that is there away first.
  const isThere = hasStatic && routes.some((route) => isDefault(route) && route.nextHop === gateway);
  await netsh(["interface", "ipv4", ...verb, ...values, ...(gateway === undefined || isThere ? [] : [`gateway=${gateway}`])]);
}

function formatMask(prefix: number): string {
  return formatIp(networkOf({ family: 4, value: 2 ** 32 - 1 }, prefix).address);
}

async function writeDns(netsh: Netsh, name: string, servers: readonly string[]): Promise<void> {
  for (const [protocol, family] of [
    ["ipv4", 4],
    ["ipv6", 6],
  ] as const) {
    const [first, ...rest] = servers.filter((server) => findIp(server)?.family === family);
    if (first === undefined) continue;
    const words = (verb: string): string[] => ["interface", protocol, verb, "dnsservers", `name=${name}`];
    await netsh([...words("set"), "source=static", `address=${first}`, "validate=no"]);
    for (const [index, server] of rest.entries()) await netsh([...words("add"), `address=${server}`, `index=${index + 2}`, "validate=no"]);
  }
}

function addLeased({ iphlpapi }: IpHelper, { luid }: WindowsUplink, { address: text }: UplinkAddress): void {
  const { address, prefix } = parsePrefixed(text);
  const row = new DataView(new ArrayBuffer(ADDRESS_ROW.size));
  iphlpapi.find("InitializeUnicastIpAddressEntry", "void", ["bytes"])?.call(bytesOf(row));
  writeAddress(row, 0, address);
  row.setBigUint64(ADDRESS_ROW.luid, luid, true);
  row.setUint8(ADDRESS_ROW.prefixLength, prefix);
  create(iphlpapi, "CreateUnicastIpAddressEntry", row);
}

function addRoute({ iphlpapi }: IpHelper, { luid }: WindowsUplink, { destination, nextHop, metric }: UplinkRoute): void {
  const { address, prefix } = parsePrefixed(destination);
  const row = new DataView(new ArrayBuffer(ROUTE_ROW.size));
  iphlpapi.find("InitializeIpForwardEntry", "void", ["bytes"])?.call(bytesOf(row));
  row.setBigUint64(ROUTE_ROW.luid, luid, true);
  writeAddress(row, ROUTE_ROW.destination, address);
  row.setUint8(ROUTE_ROW.prefixLength, prefix);
  writeAddress(row, ROUTE_ROW.nextHop, parsePrefixed(nextHop).address);
  row.setUint32(ROUTE_ROW.metric, metric, true);
  row.setUint32(ROUTE_ROW.protocol, PROTOCOL_NETMGMT, true);
  create(iphlpapi, "CreateIpForwardEntry2", row);
}

function create(iphlpapi: IpHelper["iphlpapi"], name: string, row: DataView): void {
  const native = iphlpapi.find(name, "uint32", ["bytes"]);
  if (native === undefined) throw systemFailed(`this Windows does not export ${name}`);
  const status = Number(native.call(bytesOf(row)));
  if (status !== NO_ERROR && status !== ERROR_OBJECT_ALREADY_EXISTS) throw systemFailed(`${name} answered ${status}`);
}

/**
 * Asks the link for the neighbour's MAC address, forgetting what was known of it: no firewall answers in its place, and none keeps it silent as
 * it can an echo request. False also where this Windows cannot ask.
 */
async function resolve({ iphlpapi }: IpHelper, { luid }: WindowsUplink, neighbour: string): Promise<boolean> {
  const native = iphlpapi.find("ResolveIpNetEntry2", "uint32", ["bytes", "pointer"]);
  if (native === undefined) return false;
  const row = new DataView(new ArrayBuffer(NEIGHBOUR_ROW.size));
  writeAddress(row, 0, parsePrefixed(neighbour).address);
  row.setBigUint64(NEIGHBOUR_ROW.luid, luid, true);
  return Number(await native.callAsync(bytesOf(row), null)) === NO_ERROR; // seconds pass where nobody answers
}

function bytesOf(row: DataView): Uint8Array {
  return new Uint8Array(row.buffer);
}

/** An address alone is one of all its bits. Throws IO_FAILURE. */
function parsePrefixed(text: string): { address: IpAddress; prefix: number } {
  const address = findIp(text);
  const found = address === undefined ? findAddressWithPrefix(text) : { address, prefix: width(address.family) };
  if (found === undefined) throw systemFailed(`"${text}" is no address`);
  return found;
}
