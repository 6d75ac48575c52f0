/** `network prepare` of the packaged program, with HNS and the machine's cards as the emulator plays them. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { EmulatedUplink } from "../../emulator/model/uplinks.ts";
import type { Settings } from "../../emulator/model/world.ts";
import { CniNode } from "../../support/cni-node.ts";
import { packagedReason, type ProgramResult, runPackaged } from "../../support/packaged.ts";
import { emulatorLibrary, linuxProgram } from "../../support/paths.ts";
import { CARD, SWITCH } from "../../support/prepare-node.ts";
import { linux } from "../../support/programs.ts";
import { describeUnless } from "../../support/skip.ts";

/** What does not come back within this is restored. */
const SHORT = ["--timeout", "2"];
const CARDS: Partial<Settings> = { adapters: [CARD] };

describeUnless(packagedReason(), "the packaged network prepare", () => {
  let node: CniNode;

  beforeAll(async () => {
    node = await CniNode.start(linux);
  });
  afterAll(() => node.close());

  const env = (): Record<string, string> => ({ HNS_CNI_HCN_LIBRARY: emulatorLibrary, HNS_EMULATOR_ADDRESS: node.emulator.address });
  const prepare = (args: readonly string[], stdin = ""): Promise<ProgramResult> =>
    runPackaged({ args: ["network", "prepare", "--state-dir", node.stateDir, ...args], stdin, env: env() });
  const placeholder = (...args: string[]): Promise<ProgramResult> => prepare(["--placeholder", ...SHORT, ...args]);
  const conf = (...args: string[]): Promise<ProgramResult> =>
    prepare(["--conf=-", ...SHORT, ...args], JSON.stringify(node.buildInput({}, {})));
  const names = async (): Promise<string[]> => (await node.emulator.networks()).map(({ name }) => name);
  const snapshotFile = (): string => join(node.stateDir, "uplink-snapshot.json");

  async function expectWhole(name: string): Promise<void> {
    const found = (await node.emulator.uplinks()).find((uplink: EmulatedUplink) => uplink.name === name);
    expect(found).toMatchObject({ addresses: [{ address: CARD.address, origin: "static" }], dns: CARD.dns });
    expect(found?.routes.map(({ destination }) => destination).sort()).toEqual(["0.0.0.0/0", "169.254.169.254/32"]);
  }

  it("makes the network of a configuration, says what it does, and the pods use it", async () => {
    await node.renew(CARDS);
    const done = await conf();
    expect(done).toMatchObject({ code: 0 });
    expect(done.stdout).toBe(
      'pods: the virtual switch on "Ethernet" is there, and the uplink is as it was\n  vEthernet (Ethernet) (00:0d:3a:00:00:04): 10.0.0.4/24 static\n',
    );
    expect(done.stderr).toContain("Ethernet: addresses, routes and name servers are kept in ");
    expect(await names()).toEqual(["pods"]);
    expect(existsSync(snapshotFile())).toBe(false);
    await node.emulator.clearCalls();
    await node.add(await node.makePod());
    expect(Object.keys(await node.emulator.counts())).not.toContain("HcnCreateNetwork");
    expect(await node.emulator.handles()).toEqual([]);
  });

  it.each([
    ["l2bridge", "L2Bridge"],
    ["overlay", "Overlay"],
  ])("makes a placeholder of mode %s, which network delete takes away again", async (mode, type) => {
    await node.renew(CARDS);
    expect(await placeholder("--mode", mode)).toMatchObject({ code: 0 });
    expect(await node.emulator.networks()).toMatchObject([{ name: "External", type, adapter: "Ethernet", subnets: ["192.168.255.0/30"] }]);
    const args = ["network", "delete", "External", "--state-dir", node.stateDir];
    expect(await runPackaged({ args, env: env() })).toMatchObject({ code: 0, stdout: "External: network deleted\n" });
    await expectWhole("Ethernet");
  });

  it("restores routes and name servers that are lost", async () => {
    await node.renew({ ...CARDS, vSwitchLosesRoutes: true, vSwitchLosesDns: true });
    const done = await placeholder("-o", "json");
    expect(JSON.parse(done.stdout)).toMatchObject({
      outcome: "prepared",
      network: "External",
      adapter: "Ethernet",
      isResumed: false,
      restored: ["route 169.254.169.254/32 via 10.0.0.1", "name servers 10.0.0.53"],
      missing: [],
    });
    await expectWhole(SWITCH);
  });

  it("waits for an address that is 169.254.x.y at first", async () => {
    await node.renew({ adapters: [{ ...CARD, dhcp: true }], managementIp: "link-local-first", managementIpDelayMs: 700 });
    const done = await prepare(["--placeholder", "--timeout", "30", "-o", "json"]);
    expect(JSON.parse(done.stdout)).toMatchObject({ outcome: "prepared", restored: [], after: { addresses: [{ origin: "dhcp" }] } });
  });

  it("writes a static address back that stays away, or became a leased one", async () => {
    for (const settings of [{ managementIp: "link-local" }, { vSwitchMakesDhcp: true }] as const) {
      await node.renew({ ...CARDS, ...settings });
      expect(await placeholder()).toMatchObject({ code: 0 });
      await expectWhole(SWITCH);
    }
  });

  it("takes the network away when the connection does not come back, and leaves the uplink as before", async () => {
    await node.renew({ ...CARDS, gatewayAnswers: "without-switch", vSwitchLosesRoutes: true, vSwitchLosesDns: true });
    const failed = await placeholder();
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toContain("it was taken back, and the uplink is as it was");
    expect(await names()).toEqual([]);
    await expectWhole("Ethernet");
    expect(existsSync(snapshotFile())).toBe(false);
  });

  it("changes nothing in a dry run", async () => {
    await node.renew(CARDS);
    const before = await node.emulator.uplinks();
    const planned = await placeholder("--dry-run");
    expect(planned).toMatchObject({ code: 0, stderr: "" });
    expect(planned.stdout).toContain('"NetworkAdapterName": "Ethernet"');
    expect(planned.stdout).toContain("route 169.254.169.254/32 via 10.0.0.1, persistent");
    expect(planned.stdout).toContain("would be done\n  1. keep the addresses");
    expect(await names()).toEqual([]);
    expect(await node.emulator.uplinks()).toEqual(before);
    expect(existsSync(join(node.stateDir, "state.db"))).toBe(false);
  });

  it("has nothing to do where a network stands on the card", async () => {
    await node.renew(CARDS);
    await node.emulator.createNetwork({ Name: "theirs", Type: "L2Bridge", Ipams: [] });
    expect(await placeholder()).toMatchObject({ code: 0, stdout: 'theirs: stands on "Ethernet" already, nothing to do\n' });
    expect(await names()).toEqual(["theirs"]);
  });

  it.each(["kill", "kill-after"] as const)("ends what another began that was killed (%s, at the creation)", async (kind) => {
    await node.renew({ ...CARDS, vSwitchLosesRoutes: true });
    await node.emulator.addFault({ call: "HcnCreateNetwork", kind });
    expect((await placeholder()).code).toBe(137);
    expect(JSON.parse(readFileSync(snapshotFile(), "utf8"))).toMatchObject({ network: "External", uplink: { name: "Ethernet" } });
    await node.emulator.clearFaults();
    const done = await placeholder("-o", "json");
    expect(done.stderr).toContain("did not come to its end: going on with its snapshot");
    expect(JSON.parse(done.stdout)).toMatchObject({ outcome: "prepared", missing: [] });
    await expectWhole(SWITCH);
    expect(existsSync(snapshotFile())).toBe(false);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("takes back what was begun on %s, and goes on after the terminal has gone", async (signal) => {
    await node.renew({ ...CARDS, managementIpDelayMs: 3_600_000 });
    const args = ["network", "prepare", "--placeholder", "--state-dir", node.stateDir, "--timeout", "600"];
    const child = spawn(linuxProgram, args, { env: env(), stdio: ["ignore", "ignore", "pipe"] });
    let told = "";
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    child.stderr.on("data", (chunk: Buffer) => {
      told += chunk.toString("utf8");
      if (!told.includes("waiting for the addresses") || child.killed) return;
      process.kill(child.pid ?? 0, "SIGHUP");
      child.kill(signal);
    });
    expect(await ended).toBe(1);
    expect(told).toContain("interrupted: taking back what was begun");
    expect(await names()).toEqual([]);
    await expectWhole("Ethernet");
    expect(existsSync(snapshotFile())).toBe(false);
  });

  it.each([[[]], [["--conf=-", "--mode", "overlay"]]])("says what is missing or too much: %j", async (args) => {
    await node.renew(CARDS);
    const told = await prepare(args, JSON.stringify(node.buildInput({}, {})));
    expect(told).toMatchObject({ code: 1, stdout: "" });
    expect(await names()).toEqual([]);
  });
});
