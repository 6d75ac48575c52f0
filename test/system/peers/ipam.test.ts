/** IPAM between programs of different projects, called through libcni: host-local gives our pods addresses, and we give win-bridge's. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPeers, peersReason } from "../../peers/build.ts";
import {
  type ConfList,
  type RuntimeAnswer,
  type RuntimeCall,
  type RuntimeHost,
  startLinuxHost,
  startWineHost,
  toWindowsPath,
} from "../../peers/runtime-host.ts";
import { buildConf, NETWORK } from "../../peers/runtime-suite.ts";
import { packagedReason } from "../../support/packaged.ts";
import { describeUnless } from "../../support/skip.ts";
import { readState } from "../../support/state-file.ts";
import { wineReason } from "../../support/wine.ts";
import { containing } from "../../unit/core/cni/matchers.ts";

let host: RuntimeHost;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hns-cni-ipam-peers-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Pod {
  readonly containerId: string;
  readonly netns: string;
}

async function makePod(): Promise<Pod> {
  return { containerId: randomBytes(32).toString("hex"), netns: await host.emulator.createNamespace() };
}

function call(command: RuntimeCall["command"], pod?: Pod, valid?: readonly Pod[]): Promise<RuntimeAnswer> {
  const list = valid?.map(({ containerId }) => ({ containerId, ifname: "eth0" }));
  return host.call("libcni", { command, ...pod, libcni: { network: NETWORK, ifname: "eth0" }, ...(list !== undefined && { valid: list }) });
}

async function podAddresses(): Promise<string[]> {
  const endpoints = await host.emulator.endpoints();
  return endpoints.filter(({ namespace }) => namespace !== null && namespace !== "").flatMap(({ addresses }) => addresses);
}

/** Our program with host-local as its `ipam.type`. */
function describeHostLocal(toHost: (path: string) => string): void {
  const heldByHostLocal = (): string[] => {
    const network = join(folder, NETWORK);
    return existsSync(network) ? readdirSync(network).filter((name) => isIP(name) !== 0) : [];
  };
  const writeConf = (rangeStart?: string): void => {
    const base = buildConf(host, "1.1.0");
    const range = { subnet: "10.244.3.0/24", ...(rangeStart !== undefined && { rangeStart }) };
    const ipam = { type: "host-local", dataDir: toHost(folder), ranges: [[range]], routes: [{ dst: "0.0.0.0/0" }] };
    host.writeConf({ ...base, plugins: base.plugins.map((plugin) => ({ ...plugin, ipam })) });
  };

  it("attaches, checks, detaches and collects", async () => {
    writeConf("10.244.3.3");
    const [first, second] = [await makePod(), await makePod()];
    expect(await call("STATUS")).toEqual({});
    expect(await call("ADD", first)).toMatchObject({
      result: { ips: [{ address: "10.244.3.3/24", gateway: "10.244.3.2" }], routes: [{ dst: "0.0.0.0/0", gw: "10.244.3.2" }] },
    });
    expect(await call("ADD", second)).toMatchObject({ result: { ips: [{ address: "10.244.3.4/24" }] } });
    expect((await podAddresses()).sort()).toEqual(["10.244.3.3/24", "10.244.3.4/24"]);
    expect(heldByHostLocal()).toEqual(["10.244.3.3", "10.244.3.4"]);
    expect(await call("CHECK", first)).toEqual({});
    expect(await call("DEL", first)).toEqual({});
    expect(await call("DEL", first)).toEqual({});
    expect(heldByHostLocal()).toEqual(["10.244.3.4"]);
    // host-local has no GC of its own: our DEL for each stale attachment does it.
    host.loseCache();
    expect(await call("GC", undefined, [])).toEqual({});
    expect(await podAddresses()).toEqual([]);
    expect(heldByHostLocal()).toEqual([]);
  });

  it("refuses the gateway's address, which host-local gives first by default, and gives it back", async () => {
    writeConf();
    // .1 is host-local's own gateway; the first that it gives is .2.
    const { error } = await call("ADD", await makePod());
    expect(error).toMatchObject({ code: 7, message: containing('"rangeStart": "10.244.3.3"') });
    expect(heldByHostLocal()).toEqual([]);
    expect(await podAddresses()).toEqual([]);
  });
}

describeUnless(packagedReason() ?? peersReason(), "host-local as our IPAM plugin, on Linux", () => {
  beforeAll(async () => {
    host = await startLinuxHost([findPeers().linux]);
  });
  afterAll(() => host.close());
  afterEach(() => host.emulator.reset());
  describeHostLocal((path) => path);
});

describeUnless(wineReason() ?? peersReason(), "IPAM between programs, under Wine", () => {
  beforeAll(async () => {
    host = await startWineHost([findPeers().windows]);
  }, 240_000);
  afterAll(() => host.close());
  afterEach(() => host.emulator.reset());

  describeHostLocal(toWindowsPath);

  it("we are win-bridge's IPAM plugin", async () => {
    const subnet = { IpAddressPrefix: "10.244.3.0/24", Routes: [{ NextHop: "10.244.3.1", DestinationPrefix: "0.0.0.0/0" }] };
    await host.emulator.createNetwork({ Name: NETWORK, Type: "L2Bridge", Ipams: [{ Type: "Static", Subnets: [subnet] }] });
    const ipam = { type: "hns-cni", cidr: "10.244.3.0/24", stateDir: toWindowsPath(folder) };
    const list: ConfList = { cniVersion: "1.1.0", name: NETWORK, plugins: [{ type: "win-bridge", apiVersion: 2, ipam }] };
    host.writeConf(list);
    const held = (): string[] => readState(folder).addresses.flatMap(({ state, address }) => (state === "assigned" ? [address] : []));

    const [first, second] = [await makePod(), await makePod()];
    expect(await call("STATUS")).toEqual({});
    expect(await call("ADD", first)).toMatchObject({ result: { ips: [{ address: "10.244.3.3/24" }] } });
    expect(await call("ADD", second)).toMatchObject({ result: { ips: [{ address: "10.244.3.4/24" }] } });
    expect(await call("CHECK", first)).toEqual({});
    expect(held()).toEqual(["10.244.3.3", "10.244.3.4"]);
    expect(await call("DEL", first)).toEqual({});
    expect(held()).toEqual(["10.244.3.4"]);
    // win-bridge passes no GC on; libcni makes a DEL of what it remembers.
    expect(await call("GC", undefined, [])).toEqual({});
    expect(held()).toEqual([]);
    expect(await podAddresses()).toEqual([]);
  });
});
