/** What holds when container runtimes' own libraries call our program; the same on every host that they run on. */
import { randomBytes } from "node:crypto";
import type { EmulatedEndpoint, EmulatorClient } from "../emulator/client.ts";
import type { Attachment, ConfList, ContainerdPod, RuntimeAnswer, RuntimeCall, RuntimeHost } from "./runtime-host.ts";

export const NETWORK = "pods";
/** Refused by HNS with "the policy is invalid". */
const INVALID_POLICY = 0x803b000d;
const RPC_UNAVAILABLE = 0x800706ba;

type Command = RuntimeCall["command"];

/** One pod as its runtime knows it. */
interface Pod {
  readonly containerId: string;
  readonly netns: string;
}

/** The configuration that the tests start from: that of a node with the pod range 10.244.3.0/24. */
export function buildConf(host: RuntimeHost, cniVersion: string): ConfList {
  const plugin = {
    type: "hns-cni",
    mode: "l2bridge",
    adapter: "Ethernet",
    clusterCidrs: ["10.244.0.0/16"],
    serviceCidrs: ["10.96.0.0/12"],
    dns: { nameservers: ["10.96.0.10"], search: ["cluster.local"] },
    capabilities: { portMappings: true, dns: true, "io.kubernetes.cri.pod-annotations": true },
    ipam: { type: "hns-cni", cidr: "10.244.3.0/24" },
    stateDir: host.stateDir,
  };
  return { cniVersion, name: NETWORK, plugins: [plugin] };
}

async function makePod(emulator: EmulatorClient): Promise<Pod> {
  return { containerId: randomBytes(32).toString("hex"), netns: await emulator.createNamespace() };
}

async function findEndpoint(emulator: EmulatorClient, pod: Pod): Promise<EmulatedEndpoint | undefined> {
  return (await emulator.endpoints()).find(({ namespace }) => namespace === pod.netns);
}

async function listPodEndpoints(emulator: EmulatorClient): Promise<string[]> {
  return (await emulator.endpoints()).map(({ name }) => name).filter((name) => name !== `${NETWORK}_ep`);
}

/** The same attachment in the words of each version of the specification. */
function expectedResult(cniVersion: string, pod: Pod, endpoint: EmulatedEndpoint): object {
  const isOld = cniVersion.startsWith("0.");
  const address = { address: endpoint.addresses[0], gateway: "10.244.3.2", interface: 0 };
  return {
    cniVersion,
    interfaces: [{ name: "eth0", mac: endpoint.mac.replaceAll("-", ":").toLowerCase(), sandbox: pod.netns }],
    ips: [isOld ? { version: "4", ...address } : address],
    routes: [{ dst: "0.0.0.0/0", gw: "10.244.3.2" }],
    dns: { nameservers: ["10.96.0.10"], search: ["cluster.local"] },
  };
}

/** Tests of a runtime that uses libcni itself. */
export function describeLibcni(getHost: () => RuntimeHost): void {
  const call = (command: Command, pod?: Pod, more: Partial<RuntimeCall> = {}): Promise<RuntimeAnswer> =>
    getHost().call("libcni", { command, ...pod, libcni: { network: NETWORK, ifname: "eth0" }, ...more });
  const attachmentOf = ({ containerId }: Pod): Attachment => ({ containerId, ifname: "eth0" });

  describe.each(["0.3.1", "0.4.0", "1.0.0", "1.1.0"])("libcni with a list of version %s", (cniVersion) => {
    beforeEach(() => getHost().writeConf(buildConf(getHost(), cniVersion)));

    it("attaches a pod, keeps its result, checks it, and detaches it twice", async () => {
      const { emulator } = getHost();
      const pod = await makePod(emulator);

      const added = await call("ADD", pod);
      const endpoint = await findEndpoint(emulator, pod);
      expect(endpoint).toBeDefined();
      if (endpoint === undefined) return;
      expect(added).toEqual({ result: expectedResult(cniVersion, pod, endpoint) });
      expect(await call("CACHED", pod)).toEqual(added);

      const checked = await call("CHECK", pod);
      if (cniVersion === "0.3.1") expect(checked.error?.message).toContain("does not support the CHECK command");
      else expect(checked).toEqual({});

      expect(await call("DEL", pod)).toEqual({});
      expect(await listPodEndpoints(emulator)).toEqual([]);
      expect(await call("CACHED", pod)).toEqual({});
      expect(await call("DEL", pod)).toEqual({});
      expect(await emulator.handles()).toEqual([]);
    });

    it("reports its status where the version has STATUS", async () => {
      const { emulator } = getHost();
      await emulator.clearCalls();
      expect(await call("STATUS")).toEqual({});
      const wasCalled = (await emulator.calls()).length > 0;
      expect(wasCalled).toBe(cniVersion === "1.1.0");
    });

    it("loses the attachments that the runtime no longer counts", async () => {
      const { emulator } = getHost();
      const [kept, lost] = [await makePod(emulator), await makePod(emulator)];
      for (const pod of [kept, lost]) expect(await call("ADD", pod)).not.toHaveProperty("error");

      expect(await call("GC", undefined, { valid: [kept, lost].map(attachmentOf) })).toEqual({});
      expect(await listPodEndpoints(emulator)).toHaveLength(2);
      expect(await call("GC", undefined, { valid: [attachmentOf(kept)] })).toEqual({});
      expect(await listPodEndpoints(emulator)).toEqual([`${kept.containerId}_${NETWORK}`]);
      expect(await call("GC", undefined, { valid: [] })).toEqual({});
      expect(await listPodEndpoints(emulator)).toEqual([]);
    });
  });

  describe("libcni with a list of version 1.1.0", () => {
    beforeEach(() => getHost().writeConf(buildConf(getHost(), "1.1.0")));

    it("finds the plugin good for every capability that the list declares", async () => {
      const { result } = await call("VALIDATE");
      expect(result).toHaveLength(3);
      expect(result).toEqual(expect.arrayContaining(["portMappings", "dns", "io.kubernetes.cri.pod-annotations"]));
    });

    it("gives the same result when ADD is repeated, and keeps the one endpoint", async () => {
      const { emulator } = getHost();
      const pod = await makePod(emulator);
      const first = await call("ADD", pod);
      expect(first).not.toHaveProperty("error");
      expect(await call("ADD", pod)).toEqual(first);
      expect(await listPodEndpoints(emulator)).toEqual([`${pod.containerId}_${NETWORK}`]);
      expect(await call("DEL", pod)).toEqual({});
    });

    it("collects what a runtime that lost its cache no longer knows", async () => {
      const { emulator } = getHost();
      const [kept, lost] = [await makePod(emulator), await makePod(emulator)];
      for (const pod of [kept, lost]) expect(await call("ADD", pod)).not.toHaveProperty("error");
      getHost().loseCache();

      expect(await call("GC", undefined, { valid: [attachmentOf(kept)] })).toEqual({});
      expect(await listPodEndpoints(emulator)).toEqual([`${kept.containerId}_${NETWORK}`]);
      expect(await call("GC", undefined, { valid: [] })).toEqual({});
      expect(await listPodEndpoints(emulator)).toEqual([]);
    });

    it("hands an error of ADD on with its code, and nothing is left behind", async () => {
      const { emulator } = getHost();
      const pod = await makePod(emulator);
      await emulator.addFault({ call: "HcnModifyNamespace", kind: "fail", hresult: INVALID_POLICY });
      const { error, result } = await call("ADD", pod);
      await emulator.clearFaults();
      expect(result).toBeUndefined();
      expect(error?.code).toBeGreaterThanOrEqual(100);
      expect(error?.message).toContain("0x803b000d");
      expect(await listPodEndpoints(emulator)).toEqual([]);
      expect(await call("CACHED", pod)).toEqual({});
    });

    it("fails CHECK when the endpoint is gone, and DEL succeeds all the same", async () => {
      const { emulator } = getHost();
      const pod = await makePod(emulator);
      await call("ADD", pod);
      const endpoint = await findEndpoint(emulator, pod);
      await emulator.deleteEndpoint(endpoint?.id ?? "");
      expect((await call("CHECK", pod)).error?.code).toBeGreaterThanOrEqual(100);
      expect(await call("DEL", pod)).toEqual({});
    });
  });
}

/** Tests of containerd's own library, used as containerd uses it. */
export function describeGoCni(getHost: () => RuntimeHost): void {
  const plain: ContainerdPod = { namespace: "default", name: "web", uid: "0c2d4f7a" };
  const call = (command: Command, pod: Pod = { containerId: "", netns: "" }, containerd = plain): Promise<RuntimeAnswer> =>
    getHost().call("go-cni", { command, ...pod, containerd });

  describe("go-cni as containerd uses it", () => {
    beforeEach(() => getHost().writeConf(buildConf(getHost(), "1.1.0")));

    it("sets up a pod with its port mappings and DNS, checks it, and removes it", async () => {
      const { emulator } = getHost();
      const pod = await makePod(emulator);
      const mappings = [
        { hostPort: 8080, containerPort: 80, protocol: "tcp" },
        { hostPort: 0, containerPort: 81, protocol: "tcp" },
      ];
      const dns = { servers: ["10.96.0.11"], searches: ["default.svc.cluster.local"], options: ["ndots:5"] };
      const full = { ...plain, annotations: { team: "blue" }, portMappings: mappings, dns };

      expect(await call("STATUS")).toEqual({});
      const added = await call("ADD", pod, full);
      const endpoint = await findEndpoint(emulator, pod);
      expect(added.result).toMatchObject({
        Interfaces: {
          eth0: {
            IPConfigs: [{ IP: endpoint?.addresses[0]?.replace(/\/24$/, ""), Gateway: "10.244.3.2" }],
            Mac: endpoint?.mac.replaceAll("-", ":").toLowerCase(),
            Sandbox: pod.netns,
          },
        },
        DNS: [{ nameservers: dns.servers, search: dns.searches, options: dns.options }],
      });
      expect(endpoint?.document["Dns"]).toEqual({ ServerList: dns.servers, Search: dns.searches, Options: dns.options });
      const policies = endpoint?.document["Policies"] as { Type: string; Settings: object }[];
      const mapped = policies.filter(({ Type }) => Type === "PortMapping").map(({ Settings }) => Settings);
      expect(mapped).toEqual([{ InternalPort: 80, ExternalPort: 8080, Protocol: 6, VIP: "" }]);

      expect(await call("CHECK", pod, full)).toEqual({});
      expect(await call("DEL", pod, full)).toEqual({});
      expect(await listPodEndpoints(emulator)).toEqual([]);
    });

    it("removes a sandbox again after its namespace has gone", async () => {
      const { emulator } = getHost();
      const pod = await makePod(emulator);
      await call("ADD", pod);
      expect(await listPodEndpoints(emulator)).toHaveLength(1);
      expect(await call("DEL", pod)).toEqual({});
      await emulator.deleteNamespace(pod.netns);
      // containerd gives no namespace once it has closed it.
      expect(await call("DEL", { ...pod, netns: "" })).toEqual({});
      expect(await emulator.handles()).toEqual([]);
    });

    it("removes a sandbox whose namespace went first", async () => {
      const { emulator } = getHost();
      const pod = await makePod(emulator);
      await call("ADD", pod);
      expect(await listPodEndpoints(emulator)).toHaveLength(1);
      await emulator.deleteNamespace(pod.netns);
      expect(await call("DEL", { ...pod, netns: "" })).toEqual({});
      expect(await listPodEndpoints(emulator)).toEqual([]);
    });

    it("reports the network not ready while HNS is away", async () => {
      const { emulator } = getHost();
      await emulator.addFault({ call: "*", kind: "fail", hresult: RPC_UNAVAILABLE });
      const { error } = await call("STATUS");
      await emulator.clearFaults();
      expect(error?.code).toBe(50);
      expect(await call("STATUS")).toEqual({});
    });

    it("removes what a failed set-up may have left, as containerd does next", async () => {
      const { emulator } = getHost();
      const pod = await makePod(emulator);
      await emulator.addFault({ call: "HcnModifyNamespace", kind: "fail-after", hresult: INVALID_POLICY, nth: 1 });
      expect(await call("ADD", pod)).toHaveProperty("error");
      await emulator.clearFaults();
      expect(await call("DEL", pod)).toEqual({});
      expect(await listPodEndpoints(emulator)).toEqual([]);
    });
  });
}
