/** The Windows program as it is shipped, byte for byte: the other suites run a copy in which one name is changed for an older Wine. */
import { EmulatorClient } from "../emulator/client.ts";
import { describeUnless } from "../support/skip.ts";
import { Wine10, wine10Reason } from "../support/wine10.ts";

const CONFIG = {
  cniVersion: "1.1.0",
  name: "pods",
  type: "hns-cni",
  mode: "l2bridge",
  adapter: "Ethernet",
  clusterCidrs: ["10.244.0.0/16"],
  serviceCidrs: ["10.96.0.0/12"],
  ipam: { type: "hns-cni", cidr: "10.244.3.0/24" },
};

describeUnless(wine10Reason(), "the shipped Windows program under Wine 10", () => {
  let emulator: EmulatorClient;
  let wine: Wine10;

  beforeAll(async () => {
    emulator = await EmulatorClient.start();
    wine = await Wine10.start();
  }, 240_000);
  afterAll(async () => {
    wine.stop();
    await emulator.stop();
  });

  test("VERSION, ADD, the same ADD, CHECK, DEL and DEL again", async () => {
    const pod = { CNI_CONTAINERID: "c1", CNI_NETNS: await emulator.createNamespace(), CNI_IFNAME: "eth0", CNI_PATH: "C:\\cni" };
    const call = (command: string, more: object = {}): { code: number; stdout: string; stderr: string } =>
      wine.run({ ...pod, CNI_COMMAND: command, HNS_EMULATOR_ADDRESS: emulator.address }, JSON.stringify({ ...CONFIG, ...more }));
    expect(call("VERSION")).toMatchObject({ code: 0, stderr: "" });
    const added = call("ADD");
    expect(added).toMatchObject({ code: 0, stderr: "" });
    const result = JSON.parse(added.stdout) as { ips: unknown };
    expect(result.ips).toEqual([{ interface: 0, address: "10.244.3.3/24", gateway: "10.244.3.2" }]);
    expect(call("ADD")).toEqual(added);
    expect(call("CHECK", { prevResult: result })).toEqual({ code: 0, stdout: "", stderr: "" });
    for (const command of ["DEL", "DEL"]) expect(call(command)).toEqual({ code: 0, stdout: "", stderr: "" });
    expect((await emulator.endpoints()).map(({ name }) => name)).toEqual(["pods_ep"]);
    expect(await emulator.handles()).toEqual([]);
  }, 240_000);
});
