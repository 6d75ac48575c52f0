/**
 * How win-bridge and win-overlay behave, by calls and by outcome. They are the measure for our own program, and they show that the
 * emulator is an HNS to programs that know nothing of it.
 */
import { EmulatorClient } from "../../emulator/client.ts";
import { peersReason } from "../../peers/build.ts";
import { NETWORK, Rival, type RivalKind, type RivalPod, type RivalResult } from "../../peers/rival.ts";
import { startPeersWine } from "../../peers/runtime-host.ts";
import { describeUnless } from "../../support/skip.ts";
import { wineReason, type WineMachine } from "../../support/wine.ts";

const INVALID_POLICY = 0x803b000d;

const getByQuery = (kind: string): string[] => [`HcnEnumerate${kind}s`, `HcnOpen${kind}`, `HcnQuery${kind}Properties`, `HcnClose${kind}`];
const changeNamespace = ["HcnOpenNamespace", "HcnModifyNamespace", "HcnQueryNamespaceProperties", "HcnCloseNamespace"];
const addV2 = [
  ...getByQuery("Network"),
  "HcnEnumerateEndpoints",
  // Here host-local runs, as a process of its own; then the plugin looks for its endpoint a second time.
  "HcnEnumerateEndpoints",
  "HcnOpenNetwork",
  "HcnCreateEndpoint",
  "HcnQueryEndpointProperties",
  "HcnCloseEndpoint",
  "HcnCloseNetwork",
  ...changeNamespace,
];
const addAgainV2 = [...getByQuery("Network"), ...getByQuery("Endpoint"), "HcnOpenNamespace", "HcnModifyNamespace"];
const delV2 = [...getByQuery("Endpoint"), ...getByQuery("Namespace"), ...changeNamespace, "HcnDeleteEndpoint"];
const hotAttach = [
  "GET /endpoints/{id}",
  "GET /endpoints/{id}",
  "HcsOpenComputeSystem",
  "HcsRegisterComputeSystemCallback",
  "HcsGetComputeSystemProperties",
  "HcsModifyComputeSystem",
  "HcsUnregisterComputeSystemCallback",
  "HcsCloseComputeSystem",
];
const delV1 = ["GET /endpoints/", ...hotAttach, "DELETE /endpoints/{id}"];

describeUnless(wineReason() ?? peersReason(), "reference plugins", () => {
  let machine: WineMachine;
  let emulator: EmulatorClient;
  let rival: Rival;
  let pod: RivalPod;

  beforeAll(async () => {
    machine = await startPeersWine();
    emulator = await EmulatorClient.start();
  }, 240_000);
  afterAll(() => emulator.close());
  afterEach(() => rival.close());

  const start = async (kind: RivalKind): Promise<void> => {
    await emulator.reset();
    rival = new Rival(kind, { machine, emulator });
    pod = await rival.makePod();
  };
  const startWithNetwork = async (kind: RivalKind): Promise<string> => {
    await start(kind);
    return await rival.makeNetwork();
  };
  const succeed = async (command: "ADD" | "DEL", which = pod): Promise<RivalResult> => {
    const result = await rival.run(command, which);
    expect(result).toMatchObject({ code: 0 });
    return result;
  };
  const failureOf = ({ code, output }: RivalResult): unknown => {
    expect(code).toBe(1);
    return (output as { msg: unknown }).msg;
  };
  const policiesOfType = async (type: string): Promise<unknown[]> => {
    const [endpoint] = await emulator.endpoints();
    const policies = (endpoint?.document["Policies"] ?? []) as { Type: string; Settings: unknown }[];
    return policies.filter((policy) => policy.Type === type).map(({ Settings }) => Settings);
  };

  describe.each([
    { name: "win-bridge", apiVersion: 2, before: [], gateway: "10.244.0.2", mac: /^00-15-5D(-[0-9A-F]{2}){3}$/ },
    { name: "win-overlay", apiVersion: 2, before: ["GET /networks/"], gateway: "10.244.0.1", mac: /^0E-2A-0A-F4-00-03$/ },
  ] as const)("$name by HCN", (given) => {
    it("adds and deletes a pod with its known calls", async () => {
      await startWithNetwork(given);
      const { output } = await succeed("ADD");
      const mac: unknown = expect.stringMatching(given.mac);
      // Its result has the endpoint's name for the interface's, hyphens in the MAC, no sandbox, no routes, and no interface of the address.
      expect(output).toEqual({
        cniVersion: "1.1.0",
        interfaces: [{ name: `${pod.containerId}_${NETWORK}`, mac }],
        ips: [{ address: "10.244.0.3/24", gateway: given.gateway }],
        dns: { nameservers: ["10.96.0.10"], search: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"] },
      });
      expect(await rival.sequence()).toEqual([...given.before, ...addV2]);
      expect(rival.heldAddresses()).toEqual(["10.244.0.3"]);

      await succeed("DEL");
      expect(await rival.sequence()).toEqual(delV2);
      expect(await emulator.endpoints()).toEqual([]);
      expect(rival.heldAddresses()).toEqual([]);
      expect(await emulator.handles()).toEqual([]);

      await succeed("DEL");
      expect(await rival.sequence()).toEqual(["HcnEnumerateEndpoints"]);
    });

    it("needs no more calls beside fifty other endpoints", async () => {
      const network = await startWithNetwork(given);
      for (let host = 100; host < 150; host++) {
        await emulator.createEndpoint(network, { Name: `other-${host}`, IpConfigurations: [{ IpAddress: `10.244.0.${host}` }] });
      }
      await succeed("ADD");
      expect(await rival.sequence()).toEqual([...given.before, ...addV2]);
      await succeed("DEL");
      expect(await rival.sequence()).toEqual(delV2);
    });

    it("fails a repeated ADD, frees the address that the pod has, and leaks a handle", async () => {
      await startWithNetwork(given);
      await succeed("ADD");
      expect(failureOf(await rival.run("ADD", pod))).toContain("0x803b0014");
      expect(await rival.sequence()).toEqual([...given.before, ...addAgainV2]);
      expect(await emulator.endpoints()).toMatchObject([{ namespace: pod.netns, addresses: ["10.244.0.3/24"] }]);
      expect(rival.heldAddresses()).toEqual([]);
      expect(await emulator.handles()).toMatchObject([{ kind: "namespace" }]);
    });

    it("finds nothing wrong in CHECK when the endpoint is gone", async () => {
      await startWithNetwork(given);
      await succeed("ADD");
      const [endpoint] = await emulator.endpoints();
      await emulator.deleteEndpoint(endpoint?.id ?? "");
      expect(await rival.run("CHECK", pod)).toEqual({ code: 0, output: undefined });
      expect(await rival.sequence()).toEqual([]);
    });

    it("rolls back when the endpoint cannot join the namespace", async () => {
      await startWithNetwork(given);
      await emulator.addFault({ call: "HcnModifyNamespace", kind: "fail", hresult: INVALID_POLICY, nth: 1 });
      expect(failureOf(await rival.run("ADD", pod))).toContain("0x803b000d");
      expect(await emulator.endpoints()).toEqual([]);
      expect(rival.heldAddresses()).toEqual([]);
    });

    it("rolls back when the endpoint cannot be created, and leaks the network's handle", async () => {
      await startWithNetwork(given);
      await emulator.addFault({ call: "HcnCreateEndpoint", kind: "fail", hresult: INVALID_POLICY });
      expect(failureOf(await rival.run("ADD", pod))).toContain("0x803b000d");
      expect(await emulator.endpoints()).toEqual([]);
      expect(rival.heldAddresses()).toEqual([]);
      expect(await emulator.handles()).toMatchObject([{ kind: "network" }]);
    });

    it("rolls back when the namespace is missing", async () => {
      await startWithNetwork(given);
      await emulator.deleteNamespace(pod.netns);
      expect(failureOf(await rival.run("ADD", pod))).toContain("failed to add HostComputeEndpoint");
      expect(await emulator.endpoints()).toEqual([]);
      expect(rival.heldAddresses()).toEqual([]);
    });

    it("completes an ADD that was killed once the endpoint was there", async () => {
      await startWithNetwork(given);
      await emulator.addFault({ call: "HcnCreateEndpoint", kind: "kill-after" });
      expect((await rival.run("ADD", pod)).code).not.toBe(0);
      await emulator.clearFaults();
      expect(await emulator.endpoints()).toMatchObject([{ addresses: ["10.244.0.3/24"] }]);
      await succeed("ADD");
      expect(await emulator.endpoints()).toMatchObject([{ namespace: pod.netns, addresses: ["10.244.0.3/24"] }]);
      await succeed("DEL");
      expect(await emulator.endpoints()).toEqual([]);
      expect(rival.heldAddresses()).toEqual([]);
    });

    it("frees an address before its endpoint is gone, so that the next pod is given one in use", async () => {
      await startWithNetwork(given);
      rival.ranges = [{ subnet: "10.244.0.0/24", rangeStart: "10.244.0.3", rangeEnd: "10.244.0.3" }];
      await succeed("ADD");
      await emulator.addFault({ call: "HcnDeleteEndpoint", kind: "fail", hresult: INVALID_POLICY, nth: 1 });
      expect(failureOf(await rival.run("DEL", pod))).toContain("0x803b000d");
      await emulator.clearFaults();
      expect(rival.heldAddresses()).toEqual([]);

      const next = await rival.makePod();
      expect(failureOf(await rival.run("ADD", next))).toContain("0x1392");
      await succeed("DEL");
      await succeed("ADD", next);
      expect(await emulator.endpoints()).toMatchObject([{ namespace: next.netns, addresses: ["10.244.0.3/24"] }]);
    });

    it("deletes cleanly after the namespace went", async () => {
      await startWithNetwork(given);
      await succeed("ADD");
      await emulator.deleteNamespace(pod.netns);
      await succeed("DEL");
      expect(await rival.sequence()).toEqual([...getByQuery("Endpoint"), "HcnEnumerateNamespaces", "HcnDeleteEndpoint"]);
      expect(await emulator.endpoints()).toEqual([]);
      expect(rival.heldAddresses()).toEqual([]);
    });

    it("takes an IPv6 address from IPAM that nobody ever gets", async () => {
      await startWithNetwork(given);
      rival.ranges = [...rival.ranges, { subnet: "fd00:244::/64" }];
      const { output } = await succeed("ADD");
      expect(output).toMatchObject({ ips: [{ address: "10.244.0.3/24" }] });
      expect(rival.heldAddresses()).toEqual(["10.244.0.3", "fd00:244::2"]);
      expect(await emulator.endpoints()).toMatchObject([{ addresses: ["10.244.0.3/24"] }]);
    });

    it("says plainly that the network is missing", async () => {
      await start(given);
      expect(failureOf(await rival.run("ADD", pod))).toContain('Network name "l2" not found');
      expect(rival.heldAddresses()).toEqual([]);
    });

    it("reports good status without the network", async () => {
      await start(given);
      expect(await rival.run("STATUS")).toEqual({ code: 0, output: undefined });
      expect(await rival.sequence()).toEqual([]);
    });

    it("succeeds at GC and does nothing", async () => {
      await startWithNetwork(given);
      await succeed("ADD");
      expect(await rival.run("GC")).toEqual({ code: 0, output: undefined });
      expect(await rival.sequence()).toEqual([]);
      expect(await emulator.endpoints()).toHaveLength(1);
      expect(rival.heldAddresses()).toEqual(["10.244.0.3"]);
    });
  });

  it("win-bridge maps ports", async () => {
    await startWithNetwork({ name: "win-bridge", apiVersion: 2 });
    await succeed("ADD");
    expect(await policiesOfType("PortMapping")).toEqual([{ InternalPort: 80, ExternalPort: 8080, Protocol: 6, VIP: "" }]);
  });

  it("win-bridge takes .2 for the gateway, and so makes a pod with that address its own gateway", async () => {
    await startWithNetwork({ name: "win-bridge", apiVersion: 2 });
    rival.ranges = [{ subnet: "10.244.0.0/24" }];
    const { output } = await succeed("ADD");
    expect(output).toMatchObject({ ips: [{ address: "10.244.0.2/24", gateway: "10.244.0.2" }] });
  });

  it("win-overlay drops port mappings without a word, and names the node's address", async () => {
    await startWithNetwork({ name: "win-overlay", apiVersion: 2 });
    await succeed("ADD");
    expect(await policiesOfType("PortMapping")).toEqual([]);
    expect(await policiesOfType("ProviderAddress")).toEqual([{ ProviderAddress: "10.0.0.4" }]);
  });

  describe.each([
    { name: "win-bridge", apiVersion: 1, lookups: ["GET /endpoints/", "GET /endpoints/"] },
    { name: "win-overlay", apiVersion: 1, lookups: ["GET /endpoints/"] },
  ] as const)("$name by HNSCall", (given) => {
    it("adds a pod twice with its known calls, and deletes it twice", async () => {
      await startWithNetwork(given);
      await succeed("ADD");
      expect(await rival.sequence()).toEqual(["GET /networks/", ...given.lookups, "POST /endpoints/", ...hotAttach]);
      await succeed("ADD");
      expect(await rival.sequence()).toEqual(["GET /networks/", "GET /endpoints/", "GET /endpoints/{id}", "GET /endpoints/{id}"]);
      expect(rival.heldAddresses()).toEqual(["10.244.0.3"]);

      await succeed("DEL");
      expect(await rival.sequence()).toEqual(delV1);
      expect(await emulator.endpoints()).toEqual([]);
      expect(rival.heldAddresses()).toEqual([]);
      expect(await emulator.handles()).toEqual([]);
      await succeed("DEL");
      expect(await rival.sequence()).toEqual(["GET /endpoints/"]);
    });

    it("leaves the endpoint behind when DEL names no namespace", async () => {
      await startWithNetwork(given);
      await succeed("ADD");
      await succeed("DEL", { ...pod, netns: "" });
      expect(await rival.sequence()).toEqual([]);
      expect(await emulator.endpoints()).toHaveLength(1);
      expect(rival.heldAddresses()).toEqual([]);
    });
  });
});
