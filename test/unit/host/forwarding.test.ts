/** Reading and writing Windows' tables, on bytes laid out as netioapi.h has them for x64. */
import { findIp, type IpAddress } from "../../../src/core/base/ip.ts";
import type { Ffi, NativeFunction, NativeLibrary, Out, Pointer } from "../../../src/host/ffi/library.ts";
import { enableForwarding } from "../../../src/host/windows/forwarding.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const ROW = 80;
const LUID = 0x1122_3344_5566_7788n;

function ip(text: string): IpAddress {
  const found = findIp(text);
  if (found === undefined) throw new Error(text);
  return found;
}

/** A table of two addresses of one family, of which the second has our LUID. */
function buildTable(bytes: readonly (readonly number[])[], at: 4 | 8): Uint8Array {
  const table = new Uint8Array(8 + bytes.length * ROW);
  const view = new DataView(table.buffer);
  view.setUint32(0, bytes.length, true);
  for (const [index, address] of bytes.entries()) {
    table.set(address, 8 + index * ROW + at);
    view.setUint16(8 + index * ROW, at === 4 ? 2 : 23, true);
    view.setBigUint64(8 + index * ROW + 32, index === 1 ? LUID : 1n, true);
  }
  return table;
}

/** iphlpapi with the tables of each family; what was set is kept. */
function fakeWindows(tables: Readonly<Record<number, Uint8Array>>): { ffi: Ffi; iphlpapi: NativeLibrary; rows: Uint8Array[] } {
  const rows: Uint8Array[] = [];
  let shown: Uint8Array = new Uint8Array(0);
  const functions: Readonly<Record<string, (...args: unknown[]) => unknown>> = {
    GetUnicastIpAddressTable: (family, out) => {
      shown = tables[Number(family)] ?? new Uint8Array(8);
      (out as Out<Pointer>)[0] = 1n;
      return 0;
    },
    FreeMibTable: () => undefined,
    GetIpInterfaceEntry: (row) => {
      new DataView((row as Uint8Array).buffer).setUint32(144, 64, true);
      return 0;
    },
    SetIpInterfaceEntry: (row) => (rows.push(Uint8Array.from(row as Uint8Array)), 0),
  };
  const find = (name: string): NativeFunction => ({ call: functions[name] }) as unknown as NativeFunction;
  const ffi = { readBytes: (_pointer: Pointer, count: number) => shown.slice(0, count) } as unknown as Ffi;
  return { ffi, iphlpapi: { find }, rows };
}

describe("enableForwarding", () => {
  const v4 = buildTable([[10, 0, 0, 4], [10, 244, 3, 2]], 4); // prettier-ignore
  const other = [0xfd, ...Array<number>(14).fill(0), 1];
  const v6 = buildTable([other, [0xfd, 0, 0, 0x10, 2, 0x44, 0, 3, ...Array<number>(7).fill(0), 2]], 8);

  test.each([
    ["10.244.3.2", 2, 0],
    ["fd00:10:244:3::2", 23, 64],
  ])("sets it on the interface that has %s, in family %i", async (text, family, sitePrefixLength) => {
    const { rows, ...windows } = fakeWindows({ 2: v4, 23: v6 });
    const clock = new FakeClock({ autoAdvance: true });
    expect(await enableForwarding({ ...windows, clock }, ip(text), 1_000)).toBe("enabled");
    expect(rows).toHaveLength(1);
    const view = new DataView(rows[0]?.buffer ?? new ArrayBuffer(168));
    expect([view.getUint16(0, true), view.getBigUint64(8, true), view.getUint8(41), view.getUint32(144, true)]).toEqual([
      family,
      LUID,
      1,
      sitePrefixLength,
    ]);
  });

  test.each(["10.244.3.3", "fd00:10:244:3::3"])("waits for an interface with %s, and then fails", async (text) => {
    const { rows, ...windows } = fakeWindows({ 2: v4, 23: v6 });
    const clock = new FakeClock({ autoAdvance: true });
    await expect(enableForwarding({ ...windows, clock }, ip(text), 1_000)).rejects.toMatchObject({ code: "FORWARDING_FAILED" });
    expect(rows).toEqual([]);
    expect(clock.sleeps.length).toBeGreaterThan(5);
  });
});
