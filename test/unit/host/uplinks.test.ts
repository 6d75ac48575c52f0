/** Windows' network settings, read from and written to bytes laid out as netioapi.h and iptypes.h have them for x64. */
import type { Ffi, NativeFunction, Out, Pointer } from "../../../src/host/ffi/library.ts";
import { buildWindowsUplinks } from "../../../src/host/windows/uplinks.ts";

const LUID = 0x0600_0080_0000_0000n;
const NAME = "vEthernet (Ethernet)";

interface RowSpec {
  readonly size: number;
  readonly fill: (view: DataView, bytes: Uint8Array) => void;
}

function buildTable(rows: readonly RowSpec[]): Uint8Array {
  const size = rows[0]?.size ?? 0;
  const table = new Uint8Array(8 + rows.length * size);
  new DataView(table.buffer).setUint32(0, rows.length, true);
  for (const [index, { fill }] of rows.entries()) {
    const row = new Uint8Array(size);
    fill(new DataView(row.buffer), row);
    table.set(row, 8 + index * size);
  }
  return table;
}

function putV4(view: DataView, at: number, address: readonly number[]): void {
  view.setUint16(at, 2, true);
  for (const [index, byte] of address.entries()) view.setUint8(at + 4 + index, byte);
}

const card = (alias: string, flags: number, type = 6): RowSpec => ({
  size: 1352,
  fill: (view, bytes) => {
    view.setBigUint64(0, alias === NAME ? LUID : 1n, true);
    bytes.set(Buffer.from(alias, "utf16le"), 28);
    view.setUint32(1056, 6, true);
    bytes.set([0, 0x0d, 0x3a, 0, 0, 4], 1060);
    view.setUint32(1124, 1450, true);
    view.setUint32(1128, type, true);
    view.setUint8(1152, flags);
    view.setUint32(1156, 1, true);
  },
});
const address = (bytes: readonly number[], prefixOrigin: number): RowSpec => ({
  size: 80,
  fill: (view) => {
    putV4(view, 0, bytes);
    view.setBigUint64(32, LUID, true);
    view.setUint32(44, prefixOrigin, true);
    view.setUint8(60, 24);
  },
});
const route = (
  destination: readonly number[],
  prefix: number,
  { nextHop, protocol }: { nextHop: readonly number[]; protocol: number },
): RowSpec => ({
  size: 104,
  fill: (view) => {
    view.setBigUint64(0, LUID, true);
    putV4(view, 12, destination);
    view.setUint8(40, prefix);
    putV4(view, 44, nextHop);
    view.setUint32(84, 15, true);
    view.setUint32(88, protocol, true);
  },
});

interface FakeOptions {
  readonly prefixOrigin?: number;
  readonly missing?: readonly string[];
  readonly statuses?: Readonly<Record<string, number>>;
}

/** A machine with one management interface over one card; every foreign piece of memory has a number of its own. */
function fakeWindows({ prefixOrigin = 1, missing = [], statuses = {} }: FakeOptions = {}) {
  const memory = new Map<Pointer, Uint8Array>();
  let next = 0x1000n;
  const keep = (bytes: Uint8Array): Pointer => {
    next += 0x1_0000n;
    memory.set(next, bytes);
    return next;
  };
  const tables: Readonly<Record<string, Uint8Array>> = {
    GetIfTable2: buildTable([card(NAME, 0), card("Ethernet", 5), card("Ethernet-WFP", 3), card("Loopback", 0, 24)]),
    GetUnicastIpAddressTable2: buildTable([address([10, 0, 0, 4], prefixOrigin)]),
    GetIpForwardTable22: buildTable([
      route([0, 0, 0, 0], 0, { nextHop: [10, 0, 0, 1], protocol: 3 }),
      route([10, 0, 0, 0], 24, { nextHop: [0, 0, 0, 0], protocol: 2 }),
    ]),
  };
  const written: Record<string, Uint8Array[]> = {};
  const commands: string[] = [];
  const call = (name: string, args: unknown[]): number => {
    if (name.startsWith("GetI") || name === "GetUnicastIpAddressTable") {
      const family = args.length === 1 ? "" : String(args[0]);
      const refused = statuses[`${name}${family}`];
      if (refused !== undefined) return refused;
      (args.at(-1) as Out<Pointer>)[0] = keep(tables[`${name}${family}`] ?? new Uint8Array(8));
      return 0;
    }
    if (name === "GetAdaptersAddresses") {
      if (statuses[name] !== undefined) return statuses[name];
      memory.set(args[3] as Pointer, buildAdapters(keep));
      return 0;
    }
    (written[name] ??= []).push(Uint8Array.from(args[0] as Uint8Array));
    return statuses[name] ?? 0;
  };
  const find = (name: string): NativeFunction | undefined =>
    missing.includes(name) ? undefined : { call: (...args) => call(name, args), callAsync: (...args) => Promise.resolve(call(name, args)) };
  const ffi = {
    allocate: (content: Uint8Array) => keep(content),
    readBytes: (pointer: Pointer, length: number) => (memory.get(pointer) ?? new Uint8Array(length)).slice(0, length),
  } as unknown as Ffi;
  const access = buildWindowsUplinks({ ffi, iphlpapi: { find } }, (words) => {
    commands.push(words.join(" "));
    return Promise.resolve();
  });
  return { access, written, commands };
}

function buildAdapters(keep: (bytes: Uint8Array) => Pointer): Uint8Array {
  const socket = new DataView(new ArrayBuffer(16));
  putV4(socket, 0, [10, 0, 0, 53]);
  const server = new DataView(new ArrayBuffer(32));
  server.setBigUint64(16, keep(new Uint8Array(socket.buffer)), true);
  server.setInt32(24, 16, true);
  const adapter = new DataView(new ArrayBuffer(448));
  adapter.setBigUint64(48, keep(new Uint8Array(server.buffer)), true);
  adapter.setUint32(92, 4, true);
  adapter.setBigUint64(224, LUID, true);
  return new Uint8Array(adapter.buffer);
}

test("cards and management interfaces are read, with addresses, routes, name servers and MTU; filters and others are left out", async () => {
  const { access } = fakeWindows({ prefixOrigin: 3 });
  const found = await access.list();
  expect(found).toEqual([
    {
      name: NAME,
      kind: "management",
      mac: "00:0d:3a:00:00:04",
      isUp: true,
      isDhcp: true,
      addresses: [{ address: "10.0.0.4/24", origin: "dhcp" }],
      routes: [{ destination: "0.0.0.0/0", nextHop: "10.0.0.1", metric: 15, isPersistent: false }],
      dns: ["10.0.0.53"],
      mtu: 1450,
    },
    { ...found[0], name: "Ethernet", kind: "adapter", isDhcp: false, addresses: [], routes: [], dns: [] },
  ]);
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
});

test.each([
  [1, "static"],
  [3, "dhcp"],
  [2, "link-local"],
])("an address whose prefix comes from %i is %s", async (prefixOrigin, origin) => {
  const [first] = await fakeWindows({ prefixOrigin }).access.list();
  expect(first?.addresses).toEqual([{ address: "10.0.0.4/24", origin }]);
});

test("a static address is written so that it lasts: in the place of a leased one, beside another static one", async () => {
  const wanted = { address: "10.0.0.9/20", origin: "static" } as const;
  const leased = fakeWindows({ prefixOrigin: 3 });
  await leased.access.addAddress(NAME, wanted, ["fd00::1", "10.0.0.1"]);
  expect(leased.commands).toEqual([
    `interface ipv4 set address name=${NAME} source=static address=10.0.0.9 mask=255.255.240.0 gateway=10.0.0.1`,
  ]);
  const beside = fakeWindows();
  await beside.access.addAddress(NAME, wanted, []);
  await beside.access.addAddress(NAME, { address: "fd00::9/64", origin: "static" }, []);
  expect(beside.commands).toEqual([
    `interface ipv4 add address name=${NAME} address=10.0.0.9 mask=255.255.240.0`,
    `interface ipv6 add address interface=${NAME} address=fd00::9/64`,
  ]);
});

test("a static address that is there is left alone, and beside another the gateway is not written again", async () => {
  const { access, commands } = fakeWindows();
  await access.addAddress(NAME, { address: "10.0.0.4/24", origin: "static" }, ["10.0.0.1"]);
  await access.addAddress(NAME, { address: "10.0.0.9/24", origin: "static" }, ["10.0.0.1"]);
  await access.addAddress(NAME, { address: "10.0.0.9/24", origin: "static" }, ["10.0.0.2"]);
  expect(commands).toEqual([
    `interface ipv4 add address name=${NAME} address=10.0.0.9 mask=255.255.255.0`,
    `interface ipv4 add address name=${NAME} address=10.0.0.9 mask=255.255.255.0 gateway=10.0.0.2`,
  ]);
});

test("name servers are written one after the other, each family for itself", async () => {
  const { access, commands } = fakeWindows();
  await access.setDns(NAME, ["10.0.0.53", "fd00::53", "10.0.0.54"]);
  expect(commands).toEqual([
    `interface ipv4 set dnsservers name=${NAME} source=static address=10.0.0.53 validate=no`,
    `interface ipv4 add dnsservers name=${NAME} address=10.0.0.54 index=2 validate=no`,
    `interface ipv6 set dnsservers name=${NAME} source=static address=fd00::53 validate=no`,
  ]);
});

test("a leased address and a route are given to Windows in the rows it takes", async () => {
  const { access, written } = fakeWindows();
  await access.addAddress(NAME, { address: "10.0.0.4/24", origin: "dhcp" }, []);
  await access.addRoute(NAME, { destination: "169.254.169.254/32", nextHop: "10.0.0.1", metric: 7, isPersistent: true });
  const expected = (spec: RowSpec): Uint8Array => buildTable([spec]).slice(8);
  const [own] = written["CreateUnicastIpAddressEntry"] ?? [];
  expect(own).toEqual(expected(address([10, 0, 0, 4], 0)));
  const [added] = written["CreateIpForwardEntry2"] ?? [];
  const view = new DataView(expected(route([169, 254, 169, 254], 32, { nextHop: [10, 0, 0, 1], protocol: 3 })).buffer);
  view.setUint32(84, 7, true);
  expect(added).toEqual(new Uint8Array(view.buffer));
});

test.each([
  [5010, undefined],
  [5, { code: "IO_FAILURE" }],
])("what Windows answers to a route, %i, is no error where it is there already", async (status, error) => {
  const { access } = fakeWindows({ statuses: { CreateIpForwardEntry2: status } });
  const work = access.addRoute(NAME, { destination: "0.0.0.0/0", nextHop: "10.0.0.1", metric: 0, isPersistent: false });
  if (error === undefined) await work;
  else await expect(work).rejects.toMatchObject(error);
});

test("a neighbour is asked for on the interface's own link", async () => {
  const { access, written } = fakeWindows();
  expect(await access.reaches(NAME, "10.0.0.1")).toBe(true);
  const row = new DataView(new ArrayBuffer(88));
  putV4(row, 0, [10, 0, 0, 1]);
  row.setBigUint64(32, LUID, true);
  expect(written["ResolveIpNetEntry2"]).toEqual([new Uint8Array(row.buffer)]);
  expect(await fakeWindows({ statuses: { ResolveIpNetEntry2: 67 } }).access.reaches(NAME, "10.0.0.1")).toBe(false);
  expect(await fakeWindows({ missing: ["ResolveIpNetEntry2"] }).access.reaches(NAME, "10.0.0.1")).toBe(false);
});

test.each([
  ["GetIfTable2", ""],
  ["GetUnicastIpAddressTable", "2"],
  ["GetIpForwardTable2", "2"],
  ["GetAdaptersAddresses", ""],
])("a machine that does not answer %s%s is an error, not a machine without any", async (name, family) => {
  const { access } = fakeWindows({ statuses: { [`${name}${family}`]: 8 } });
  await expect(access.list()).rejects.toMatchObject({ code: "IO_FAILURE", message: `${name} answered 8` });
});

test("Windows without IPv6 has no addresses and routes of it", async () => {
  const { access } = fakeWindows({ statuses: { GetUnicastIpAddressTable23: 1168, GetIpForwardTable223: 50 } });
  expect((await access.list())[0]).toMatchObject({ name: NAME, addresses: [{ address: "10.0.0.4/24" }] });
});

test("an interface that has gone is an error that names it", async () => {
  await expect(fakeWindows().access.reaches("vEthernet (gone)", "10.0.0.1")).rejects.toMatchObject({ code: "IO_FAILURE" });
});
