/** The IPAM interface for other plugins, from the CNI call to the state, without a program. */
import { buildIpamHandlers } from "../../../../src/bin/ipam-handlers.ts";
import { dispatch } from "../../../../src/core/cni/dispatch.ts";
import { attachmentId } from "../../../../src/core/engine/attachment.ts";
import { EngineFixture } from "../../../support/engine-fixture.ts";
import { containing } from "../../../support/matchers.ts";

let node: EngineFixture;

beforeEach(() => {
  node = new EngineFixture();
});
afterEach(() => node.close());

interface Call {
  readonly command: string;
  readonly container?: string;
  readonly ipam?: unknown;
  readonly config?: object;
  readonly env?: Readonly<Record<string, string>>;
}

const OURS = { type: "hns-cni", cidr: "10.1.0.0/29", waitSeconds: 0, cooldownSeconds: 60 };
const HOST_LOCAL = { type: "hns-cni", subnet: "10.1.0.0/24", waitSeconds: 0, dataDir: "/var/lib/cni/networks" };

/** Runs one call and gives its exit code and document. */
async function call({ command, container = "c1", ipam = OURS, config = {}, env = {} }: Call): Promise<{ code: number; document: unknown }> {
  const handlers = buildIpamHandlers(
    async (read, _context, work) => {
      const process = node.spawn();
      await process.run(() => work(node.operation(process).withConfig(read.config)));
    },
    (path) => (path === "/etc/resolv.conf" ? "nameserver 10.0.0.53\nsearch a b\n" : ""),
  );
  let output = "";
  const code = await dispatch(
    {
      env: { CNI_COMMAND: command, CNI_CONTAINERID: container, CNI_NETNS: "none", CNI_IFNAME: "eth0", CNI_PATH: "/opt", ...env },
      readStdin: () => JSON.stringify({ cniVersion: "1.1.0", name: "l2", type: "win-bridge", ipam, ...config }),
      writeStdout: (text) => {
        output = text;
      },
    },
    handlers,
  );
  return { code, document: output === "" ? undefined : JSON.parse(output) };
}

const owner = (container: string): string => attachmentId({ network: "l2", containerId: container, ifname: "eth0" });
const ofAddress = (address: string): object => ({ code: 0, document: { cniVersion: "1.1.0", ips: [{ address, gateway: "10.1.0.1" }] } });

describe("ADD", () => {
  test("point 77: answers in short form, gives the same on a repeat, and touches no HNS", async () => {
    expect(await call({ command: "ADD" })).toEqual(ofAddress("10.1.0.3/29"));
    expect(await call({ command: "ADD" })).toEqual(ofAddress("10.1.0.3/29"));
    expect(await call({ command: "ADD", container: "c2" })).toEqual(ofAddress("10.1.0.4/29"));
    expect(node.calls()).toEqual([]);
    expect(node.rows("attachments")).toEqual([]);
  });

  test("host-local's keys keep back network, gateway and broadcast alone; routes and DNS are passed on", async () => {
    const routes = [{ dst: "0.0.0.0/0" }, { dst: "192.168.0.0/16", gw: "10.1.0.9" }];
    const ipam = { ...HOST_LOCAL, routes, resolvConf: "/etc/resolv.conf" };
    const { document } = await call({ command: "ADD", ipam });
    expect(document).toEqual({
      cniVersion: "1.1.0",
      ips: [{ address: "10.1.0.2/24", gateway: "10.1.0.1" }],
      routes,
      dns: { nameservers: ["10.0.0.53"], search: ["a", "b"] },
    });
  });

  test.each([
    [
      { subnet: "10.1.0.0/24", rangeStart: "10.1.0.200", rangeEnd: "10.1.0.202", gateway: "10.1.0.201" },
      ["10.1.0.200/24", "10.1.0.202/24"],
    ],
    [{ ranges: [[{ subnet: "10.1.0.0/30" }]] }, ["10.1.0.2/30"]],
    [{ ranges: [[{ SUBNET: "10.1.0.0/16", rangeStart: "10.1.128.0", rangeEnd: "10.1.128.0", gateway: "10.9.0.1" }]] }, ["10.1.128.0/16"]],
  ])("hands out what %j has, then no more", async (keys, addresses) => {
    const ipam = { type: "hns-cni", waitSeconds: 0, ...keys };
    for (const [index, address] of addresses.entries()) {
      expect((await call({ command: "ADD", container: `c${index}`, ipam })).document).toMatchObject({ ips: [{ address }] });
    }
    expect(await call({ command: "ADD", container: "more", ipam })).toMatchObject({ code: 1, document: { code: 11 } });
  });

  test("an ADD waits for an address, and gets the one that has rested", async () => {
    for (const container of ["c1", "c2", "c3", "c4"]) await call({ command: "ADD", container });
    await call({ command: "DEL", container: "c2" });
    const ipam = { ...OURS, waitSeconds: 50, cooldownSeconds: 30 };
    expect(await call({ command: "ADD", container: "c5", ipam })).toEqual(ofAddress("10.1.0.4/29"));
    expect(node.calls()).toEqual([]);
  });

  test("gives one address of each set of ranges, with its own prefix length and gateway, and the same on a repeat", async () => {
    const ranges = [[{ subnet: "10.1.2.0/24" }, { subnet: "10.2.2.0/24" }], [{ subnet: "2001:db8:1::/64", rangeEnd: "2001:db8:1::3" }]];
    const ipam = { type: "hns-cni", waitSeconds: 0, ranges };
    const expected = (last: number): object => ({
      code: 0,
      document: {
        cniVersion: "1.1.0",
        ips: [
          { address: `10.1.2.${last}/24`, gateway: "10.1.2.1" },
          { address: `2001:db8:1::${last}/64`, gateway: "2001:db8:1::1" },
        ],
      },
    });
    expect(await call({ command: "ADD", ipam })).toEqual(expected(2));
    expect(await call({ command: "ADD", ipam })).toEqual(expected(2));
    expect(await call({ command: "ADD", container: "c2", ipam })).toEqual(expected(3));
    const prevResult = { cniVersion: "1.1.0", ips: [{ address: "10.1.2.3/24" }, { address: "2001:db8:1::3/64" }] };
    expect(await call({ command: "CHECK", container: "c2", ipam, config: { prevResult } })).toEqual({ code: 0, document: undefined });
    expect((await call({ command: "CHECK", ipam, config: { prevResult } })).document).toMatchObject({ code: 103 });
    expect(await call({ command: "DEL", ipam })).toEqual({ code: 0, document: undefined });
    expect(node.held().addresses.map(({ address }) => address)).toEqual(["10.1.2.3", "2001:db8:1::3"]);
  });

  test("takes all addresses or none: a set that is full fails the ADD and keeps nothing of the others", async () => {
    const ipam = { type: "hns-cni", waitSeconds: 0, ranges: [[{ subnet: "10.1.2.0/24" }], [{ subnet: "10.3.0.0/30" }]] };
    await call({ command: "ADD", ipam });
    const before = node.held();
    expect((await call({ command: "ADD", container: "c2", ipam })).document).toMatchObject({ code: 11, msg: containing("10.3.0.0/30") });
    expect(node.held()).toEqual(before);
    await call({ command: "DEL", ipam });
    const rested = { ...ipam, cooldownSeconds: 0 };
    const result = await call({ command: "ADD", container: "c3", ipam: rested });
    expect(result.document).toMatchObject({ ips: [{ address: "10.1.2.3/24" }, { address: "10.3.0.2/30" }] });
  });

  test("goes on to the next range of a set when one is full", async () => {
    const ipam = { type: "hns-cni", waitSeconds: 0, ranges: [[{ subnet: "10.3.0.0/30" }, { subnet: "10.4.0.0/30", gateway: "10.4.0.2" }]] };
    const results = [await call({ command: "ADD", ipam }), await call({ command: "ADD", container: "c2", ipam })];
    expect(results.map(({ document }) => document)).toMatchObject([
      { ips: [{ address: "10.3.0.2/30", gateway: "10.3.0.1" }] },
      { ips: [{ address: "10.4.0.1/30", gateway: "10.4.0.2" }] },
    ]);
  });

  test("an IPv6 range begins far into its subnet as quickly as at its start", async () => {
    const range = { subnet: "fd00::/64", rangeStart: "fd00::1234:5678:10", rangeEnd: "fd00::1234:5678:11" };
    const ipam = { type: "hns-cni", waitSeconds: 0, ...range };
    expect((await call({ command: "ADD", ipam })).document).toMatchObject({
      ips: [{ address: "fd00::1234:5678:10/64", gateway: "fd00::1" }],
    });
    expect((await call({ command: "ADD", container: "c2", ipam })).document).toMatchObject({ ips: [{ address: "fd00::1234:5678:11/64" }] });
    expect(await call({ command: "ADD", container: "c3", ipam })).toMatchObject({ code: 1, document: { code: 11 } });
  });

  test("our own keys give an address of each family", async () => {
    const ipam = { type: "hns-cni", waitSeconds: 0, cidrs: ["10.1.0.0/29", "fd00:1::/64"] };
    expect((await call({ command: "ADD", ipam })).document).toEqual({
      cniVersion: "1.1.0",
      ips: [
        { address: "10.1.0.3/29", gateway: "10.1.0.1" },
        { address: "fd00:1::3/64", gateway: "fd00:1::1" },
      ],
    });
  });

  test.each<[string, object]>([
    ["CNI_ARGS", { env: { CNI_ARGS: "IP=10.1.0.5" } }],
    ["CNI_ARGS with a prefix length", { env: { CNI_ARGS: "IP=10.1.0.5/29" } }],
    ["args.cni.ips, over CNI_ARGS", { config: { args: { cni: { ips: ["10.1.0.5"] } } }, env: { CNI_ARGS: "IP=10.1.0.6" } }],
    ["runtimeConfig.ips, over args.cni.ips", { config: { runtimeConfig: { ips: ["10.1.0.5/29"] }, args: { cni: { ips: ["10.1.0.6"] } } } }],
  ])("point 80: an address asked for is given: %s", async (_, request) => {
    expect(await call({ command: "ADD", ...request })).toEqual(ofAddress("10.1.0.5/29"));
    expect(await call({ command: "ADD", ...request })).toEqual(ofAddress("10.1.0.5/29"));
    const { document } = await call({ command: "ADD", container: "c2", ...request });
    expect(document).toMatchObject({ code: 11, msg: containing("10.1.0.5, and container c1 has it") });
    expect(await call({ command: "ADD", container: "c3" })).toEqual(ofAddress("10.1.0.6/29"));
  });

  test("of several sets each gives one of the addresses asked for, in any order", async () => {
    const ipam = { type: "hns-cni", ranges: [[{ subnet: "10.1.2.0/24" }], [{ subnet: "2001:db8:1::/64" }]] };
    const config = { args: { cni: { ips: ["2001:db8:1::77", "10.1.2.88"] } } };
    expect((await call({ command: "ADD", ipam, config })).document).toMatchObject({
      ips: [{ address: "10.1.2.88/24" }, { address: "2001:db8:1::77/64" }],
    });
    const one = { args: { cni: { ips: ["10.1.2.99", "10.1.2.98"] } } };
    const { document } = await call({ command: "ADD", container: "c2", ipam, config: one });
    expect(document).toMatchObject({ code: 7, msg: containing("args.cni.ips[1] asks for 10.1.2.98, which is one too many") });
  });
});

describe("a repeated ADD", () => {
  test("keeps what still fits, and puts to rest what does not: another address is asked for, or the pool is another one", async () => {
    const both = { type: "hns-cni", waitSeconds: 0, cidrs: ["10.1.0.0/29", "fd00:1::/64"] };
    const ask = (ips: string[]): object => ({ runtimeConfig: { ips } });
    await call({ command: "ADD", ipam: both, config: ask(["10.1.0.5"]) });
    const again = await call({ command: "ADD", ipam: both, config: ask(["10.1.0.6"]) });
    expect(again.document).toMatchObject({ ips: [{ address: "10.1.0.6/29" }, { address: "fd00:1::3/64" }] });
    expect(node.address("10.1.0.5")).toMatchObject({ state: "cooling" });
    const moved = await call({ command: "ADD", ipam: { ...both, cidrs: ["10.2.0.0/29", "fd00:1::/64"] } });
    expect(moved.document).toMatchObject({ ips: [{ address: "10.2.0.3/29" }, { address: "fd00:1::3/64" }] });
    expect(node.address("10.1.0.6")).toMatchObject({ state: "cooling" });
    expect(node.held().addresses.map(({ address }) => address)).toEqual(["10.2.0.3", "fd00:1::3"]);
  });
});

describe("DEL", () => {
  test.each([
    ["as it was", OURS],
    ["broken", { type: "hns-cni", cidr: 7, stateDir: 5, ranges: "x" }],
  ])("gives back by owner with ipam %s, and again", async (_, ipam) => {
    await call({ command: "ADD" });
    await call({ command: "ADD", container: "c2" });
    expect(await call({ command: "DEL", ipam })).toEqual({ code: 0, document: undefined });
    expect(await call({ command: "DEL", ipam })).toEqual({ code: 0, document: undefined });
    expect(node.held().addresses).toMatchObject([{ address: "10.1.0.4", owner: owner("c2") }]);
    expect(node.address("10.1.0.3")).toMatchObject({ state: "cooling" });
  });
});

describe("CHECK", () => {
  test("compares the reservation with prevResult", async () => {
    await call({ command: "ADD" });
    const check = (address: string, container = "c1"): Promise<{ code: number; document: unknown }> =>
      call({ command: "CHECK", container, config: { prevResult: { cniVersion: "1.1.0", ips: [{ address }] } } });
    expect(await check("10.1.0.3/29")).toEqual({ code: 0, document: undefined });
    expect((await check("10.1.0.4/29")).document).toMatchObject({ code: 103, msg: containing("10.1.0.4") });
    expect((await check("10.1.0.3/29", "c2")).document).toMatchObject({ code: 103, msg: containing("no address") });
  });
});

describe("GC", () => {
  test("gives back what is in no valid attachment of this network, and of no other", async () => {
    for (const container of ["c1", "c2"]) await call({ command: "ADD", container });
    await call({ command: "ADD", container: "c3", config: { name: "other" } });
    const valid = { "cni.dev/valid-attachments": [{ containerID: "c2", ifname: "eth0" }] };
    expect(await call({ command: "GC", config: valid })).toEqual({ code: 0, document: undefined });
    expect(node.held().addresses.map(({ pool, address }) => [pool, address])).toEqual([
      ["l2/10.1.0.0/29", "10.1.0.4"],
      ["other/10.1.0.0/29", "10.1.0.3"],
    ]);
  });
});

describe("STATUS", () => {
  test("fails on exhaustion only where that is wanted", async () => {
    for (const container of ["c1", "c2", "c3", "c4"]) await call({ command: "ADD", container });
    expect(await call({ command: "STATUS" })).toEqual({ code: 0, document: undefined });
    const strict = { ...OURS, statusFailsOnExhaustion: true };
    expect((await call({ command: "STATUS", ipam: strict })).document).toMatchObject({ code: 50 });
    await call({ command: "GC", config: { "cni.dev/valid-attachments": [] }, ipam: strict });
    expect((await call({ command: "STATUS", ipam: { ...strict, cooldownSeconds: 0 } })).code).toBe(0);
  });
});
