/** What our program sends for a pod, measured against what win-bridge was recorded to send for the same one. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EmulatorClient } from "../../emulator/client.ts";
import type { CallRecord } from "../../emulator/model/call-log.ts";
import { captureFile, type Capture } from "../../peers/captures.ts";
import { packagedReason, runPackaged } from "../../support/packaged.ts";
import { emulatorLibrary } from "../../support/paths.ts";
import { describeUnless } from "../../support/skip.ts";

const capture = JSON.parse(readFileSync(captureFile({ name: "win-bridge", apiVersion: 2 }), "utf8")) as Capture;

/** The fields of win-bridge's document that are looked at one by one here. */
interface EndpointDocument {
  readonly Policies: readonly object[];
  readonly Health: object;
}

describeUnless(packagedReason(), "our documents beside win-bridge's", () => {
  let emulator: EmulatorClient;
  let network = "";
  let stateDir = "";

  beforeAll(async () => {
    stateDir = mkdtempSync(join(tmpdir(), "hns-cni-documents-"));
    emulator = await EmulatorClient.start();
    const subnet = { IpAddressPrefix: "10.244.0.0/24", Routes: [{ NextHop: "10.244.0.1", DestinationPrefix: "0.0.0.0/0" }] };
    const ipams = [{ Type: "Static", Subnets: [subnet] }];
    const policies = [{ Type: "NetAdapterName", Settings: { NetworkAdapterName: "Ethernet" } }];
    ({ ID: network } = await emulator.createNetwork({ Name: "l2", Type: "L2Bridge", Ipams: ipams, Policies: policies }));
    // The first pod of a node costs more: the network is verified and the host's endpoint made.
    await run("ADD", await makePod(8079));
  });
  afterAll(async () => {
    await emulator.close();
    rmSync(stateDir, { recursive: true, force: true });
  });

  const makePod = async (hostPort: number) => ({
    hostPort,
    containerId: randomBytes(32).toString("hex"),
    netns: await emulator.createNamespace(),
  });

  const run = async (command: "ADD" | "DEL", pod: { hostPort: number; containerId: string; netns: string }): Promise<CallRecord[]> => {
    const plugin = {
      cniVersion: "1.1.0",
      name: "l2",
      type: "hns-cni",
      mode: "l2bridge",
      adapter: "Ethernet",
      clusterCidrs: ["10.244.0.0/16"],
      serviceCidrs: ["10.96.0.0/12"],
      dns: { nameservers: ["10.96.0.10"], search: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"] },
      runtimeConfig: { portMappings: [{ hostPort: pod.hostPort, containerPort: 80, protocol: "tcp" }] },
      ipam: { type: "hns-cni", cidr: "10.244.0.0/24" },
      stateDir,
    };
    await emulator.clearCalls();
    const pair = { HNS_CNI_HCN_LIBRARY: emulatorLibrary, HNS_EMULATOR_ADDRESS: emulator.address };
    const env = {
      ...pair,
      CNI_COMMAND: command,
      CNI_CONTAINERID: pod.containerId,
      CNI_NETNS: pod.netns,
      CNI_IFNAME: "eth0",
      CNI_PATH: "/",
    };
    expect(await runPackaged({ env, stdin: JSON.stringify(plugin) })).toMatchObject({ code: 0 });
    return await emulator.calls();
  };

  it("sends win-bridge's endpoint document, with what win-bridge leaves to chance", async () => {
    const pod = await makePod(8080);
    const calls = await run("ADD", pod);
    const [, , ours] = calls.find(({ name }) => name === "HcnCreateEndpoint")?.args ?? [];
    const [, , recorded] = capture.ADD.find(({ call }) => call === "HcnCreateEndpoint")?.arguments ?? [];
    // The recorded document was checked by the test that compares it with the plugin's.
    const { Health, Policies, ...theirs } = recorded as EndpointDocument;
    const [endpoint] = (await emulator.endpoints()).filter(({ namespace }) => namespace === pod.netns);
    const address = endpoint?.addresses[0]?.replace(/\/24$/, "") ?? "";

    // hcsshim writes out an empty Health, which is HNS's to report.
    expect(Health).toEqual({ Extra: {} });
    expect(JSON.parse(ours ?? "{}")).toEqual({
      ...theirs,
      Name: `${pod.containerId}_l2`,
      HostComputeNetwork: network,
      // The prefix length is said, where win-bridge leaves HNS to take the subnet's.
      IpConfigurations: [{ IpAddress: address, PrefixLength: 24 }],
      // A pod reaches a service that it serves itself; win-bridge does so only where it is told (loopbackDSR).
      Policies: [...Policies, { Type: "OutBoundNAT", Settings: { Destinations: [address] } }],
    });
  });

  it("needs fewer calls than win-bridge", async () => {
    const pod = await makePod(8081);
    expect((await run("ADD", pod)).length).toBeLessThan(capture.ADD.length);
    expect((await run("DEL", pod)).length).toBeLessThan(capture.DEL.length);
  });
});
