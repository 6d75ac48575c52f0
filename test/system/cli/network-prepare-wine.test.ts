/** `network prepare` of the Windows program: what Wine's iphlpapi tells of the machine's cards, with HNS as the emulator plays it. */
import { networkInterfaces } from "node:os";
import { CniNode } from "../../support/cni-node.ts";
import { describeProgram, type ProgramOutcome, windows } from "../../support/programs.ts";

/** A card of this machine with an address; Wine shows it under the same name. */
const [NAME, ADDRESSES] =
  Object.entries(networkInterfaces()).find(([, found]) => found?.some((one) => !one.internal && one.family === "IPv4")) ?? [];

const reason = NAME === undefined ? "this machine has no network card with an address" : windows.reason;

describeProgram({ ...windows, reason }, "network prepare", () => {
  let node: CniNode;

  beforeAll(async () => {
    node = await CniNode.start(windows);
  });
  afterAll(() => node.close());

  const prepare = (...args: string[]): Promise<ProgramOutcome> => {
    const all = ["network", "prepare", "--placeholder", "--timeout", "1", "--state-dir", windows.path(node.stateDir), ...args];
    return windows.run({ args: all, env: {}, stdin: "" }, node.emulator.address);
  };

  it("reads the card's addresses, hardware address, routes and MTU", async () => {
    await node.renew({ adapters: [{ name: NAME ?? "", address: "10.0.0.4/24" }] });
    const { stdout, stderr } = await prepare("--dry-run", "--adapter", NAME ?? "", "-o", "json");
    expect(stderr).toBe("");
    const { before } = JSON.parse(stdout) as { before: { addresses: { address: string }[]; routes: { destination: string }[] } };
    const v4 = ADDRESSES?.find(({ family }) => family === "IPv4");
    expect(before).toMatchObject({ name: NAME, kind: "adapter", mac: v4?.mac, isUp: true });
    expect(before.addresses.map(({ address }) => address)).toContain(v4?.cidr);
    expect(before.routes.map(({ destination }) => destination)).toContain("0.0.0.0/0");
    expect(await node.emulator.networks()).toEqual([]);
  });

  it("takes the network away again where no management interface comes, as under Wine", async () => {
    await node.renew({ adapters: [{ name: NAME ?? "", address: "10.0.0.4/24" }] });
    const { code, stderr } = await prepare("--adapter", NAME ?? "");
    expect(stderr).toContain("it was taken back, and the uplink is as it was");
    expect(code).toBe(1);
    expect(Object.keys(await node.emulator.counts())).toEqual(expect.arrayContaining(["HcnCreateNetwork", "HcnDeleteNetwork"]));
    expect(await node.emulator.networks()).toEqual([]);
  });
});
