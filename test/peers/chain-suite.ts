/** What holds when our program shares a list with other plugins, which libcni calls one after the other (test/peers/chained). */
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EmulatedEndpoint } from "../emulator/client.ts";
import type { RuntimeAnswer, RuntimeCall, RuntimeHost } from "./runtime-host.ts";
import { buildConf, NETWORK } from "./runtime-suite.ts";

/** Each version whose prevResult has a form, or whose list has commands, of its own. */
const VERSIONS = ["0.3.1", "0.4.0", "1.0.0", "1.1.0"];
const BANDWIDTH = { ingressRate: 8_000_000, ingressBurst: 4_294_967_295, egressRate: 16_000_000, egressBurst: 4_294_967_295 };
const QOS = { Type: "QOS", Settings: { MaximumOutgoingBandwidthInBytes: 2_000_000 } };
const ARGS = { IgnoreUnknown: "1", K8S_POD_NAME: "web-0", K8S_POD_NAMESPACE: "shop" };

interface Pod {
  readonly containerId: string;
  readonly netns: string;
}

/** What a stand-in was given. */
interface Given {
  readonly plugin: string;
  readonly command: string;
  readonly prevResult?: unknown;
  readonly bandwidth?: unknown;
}

type Document = Readonly<Record<string, unknown>>;

/** Needs a host whose plugin folders have the stand-ins. */
export function describeChains(getHost: () => RuntimeHost, versions: readonly string[] = VERSIONS): void {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "hns-cni-chain-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const recordFile = (): string => getHost().toHost(join(folder, "calls"));
  const after = (type: string): Document => ({ type, recordFile: recordFile(), capabilities: { bandwidth: true } });

  function readGiven(): Given[] {
    const file = join(folder, "calls");
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    return lines.map((line) => JSON.parse(line) as Given);
  }

  function writeList(cniVersion: string, plugins: { before?: readonly Document[]; after?: readonly Document[] }): void {
    const list = buildConf(getHost(), cniVersion);
    const ours = list.plugins.map((plugin) => ({ ...plugin, capabilities: { bandwidth: true, portMappings: true } }));
    getHost().writeConf({ ...list, plugins: [...(plugins.before ?? []), ...ours, ...(plugins.after ?? [])] });
  }

  const call = (command: RuntimeCall["command"], pod?: Pod, more: Document = {}): Promise<RuntimeAnswer> =>
    getHost().call("libcni", {
      command,
      ...pod,
      libcni: { network: NETWORK, ifname: "eth0", args: ARGS, capabilities: { bandwidth: BANDWIDTH }, ...more },
      ...(command === "GC" && { valid: [] }),
    });

  async function makePod(): Promise<Pod> {
    return { containerId: randomBytes(32).toString("hex"), netns: await getHost().emulator.createNamespace() };
  }

  async function findEndpoint(pod: Pod): Promise<EmulatedEndpoint> {
    const found = (await getHost().emulator.endpoints()).find(({ namespace }) => namespace === pod.netns);
    if (found === undefined) throw new Error("the pod has no endpoint");
    return found;
  }

  async function countPods(): Promise<number> {
    return (await getHost().emulator.endpoints()).filter(({ name }) => name !== `${NETWORK}_ep`).length;
  }

  const expectChecked = (cniVersion: string, answer: RuntimeAnswer): void => {
    if (cniVersion === "0.3.1") expect(answer.error?.message).toContain("does not support the CHECK command");
    else expect(answer).toEqual({});
  };

  describe.each(versions)("a list of version %s", (cniVersion) => {
    it("with bandwidth and istio-cni after ours: they get our result, and CHECK, DEL and GC go through all", async () => {
      writeList(cniVersion, { after: [after("bandwidth"), after("istio-cni")] });
      const pod = await makePod();
      const added = await call("ADD", pod);
      const endpoint = await findEndpoint(pod);
      const device = { name: `bwp${pod.containerId.slice(0, 12)}`, mac: "02:00:00:00:00:07" };
      const ours = describeResult(cniVersion, pod, endpoint);
      const both = { ...ours, interfaces: [...ours.interfaces, device] };
      expect(added).toEqual({ result: both });
      expect(await call("CACHED", pod)).toEqual(added);
      expect(readGiven()).toEqual([
        { plugin: "bandwidth", command: "ADD", prevResult: ours, bandwidth: BANDWIDTH },
        { plugin: "istio-cni", command: "ADD", prevResult: both, bandwidth: BANDWIDTH },
      ]);

      expectChecked(cniVersion, await call("CHECK", pod));
      expect(await call("DEL", pod)).toEqual({});
      expect(await call("DEL", pod)).toEqual({});
      expect(await countPods()).toBe(0);
      expect(readGiven().filter(({ command }) => command === "DEL")).toHaveLength(4);

      await call("ADD", await makePod());
      expect(await countPods()).toBe(1);
      expect(await call("GC")).toEqual({});
      expect(await countPods()).toBe(0);
      expect(await getHost().emulator.handles()).toEqual([]);
    });

    it("with bandwidth declared by ours and by a later one: the endpoint has one limit, sent once", async () => {
      writeList(cniVersion, { after: [after("bandwidth")] });
      const pod = await makePod();
      expect(await call("ADD", pod)).not.toHaveProperty("error");
      const { document } = await findEndpoint(pod);
      expect((document["Policies"] as { Type: string }[]).filter(({ Type }) => Type === "QOS")).toEqual([QOS]);
      expectChecked(cniVersion, await call("CHECK", pod));
      expect(await call("DEL", pod)).toEqual({});
    });

    it("with a plugin before ours: its result comes first, then ours, and all is well with CHECK and DEL", async () => {
      const makes = describeFirst(cniVersion);
      writeList(cniVersion, { before: [{ type: "first", makes, recordFile: recordFile() }], after: [after("istio-cni")] });
      const pod = await makePod();
      const added = await call("ADD", pod);
      const ours = describeResult(cniVersion, pod, await findEndpoint(pod));
      expect(added).toEqual({
        result: {
          ...ours,
          interfaces: [...makes.interfaces, ...ours.interfaces],
          ips: [...makes.ips, ...ours.ips.map((ip) => ({ ...ip, interface: 1 }))],
          dns: { nameservers: ["192.0.2.1", "10.96.0.10"], search: ["cluster.local"] },
        },
      });
      expect(await call("ADD", pod)).toEqual(added);
      expectChecked(cniVersion, await call("CHECK", pod));
      expect(await call("DEL", pod)).toEqual({});
      expect(await countPods()).toBe(0);
    });

    it("with a plugin before ours that has made the pod's interface: ADD is refused with code 7, and DEL goes through", async () => {
      const pod = await makePod();
      const makes = { ...describeFirst(cniVersion), interfaces: [{ name: "eth0", sandbox: pod.netns }] };
      writeList(cniVersion, { before: [{ type: "first", makes }] });
      const { error } = await call("ADD", pod);
      expect(error?.code).toBe(7);
      expect(error?.message).toContain(`prevResult has the interface "eth0" in the sandbox ${pod.netns} already`);
      expect(await countPods()).toBe(0);
      expect(await call("DEL", pod)).toEqual({});
    });

    it("with a later plugin that refuses: the DEL that follows leaves nothing of ours", async () => {
      writeList(cniVersion, { after: [after("istio-cni")] });
      const pod = await makePod();
      const { error } = await call("ADD", pod, { args: {} });
      expect(error?.message).toContain("not a pod of Kubernetes");
      expect(await countPods()).toBe(1);
      expect(await call("DEL", pod, { args: {} })).toEqual({});
      expect(await countPods()).toBe(0);
    });
  });
}

/** The result of ours in the words of the version. */
function describeResult(
  cniVersion: string,
  pod: Pod,
  endpoint: EmulatedEndpoint,
): {
  readonly cniVersion: string;
  readonly interfaces: readonly object[];
  readonly ips: readonly object[];
  readonly [key: string]: unknown;
} {
  const isOld = cniVersion.startsWith("0.");
  return {
    cniVersion,
    interfaces: [{ name: "eth0", mac: endpoint.mac.replaceAll("-", ":").toLowerCase(), sandbox: pod.netns }],
    ips: [{ ...(isOld && { version: "4" }), interface: 0, address: endpoint.addresses[0], gateway: "10.244.3.2" }],
    routes: [{ dst: "0.0.0.0/0", gw: "10.244.3.2" }],
    dns: { nameservers: ["10.96.0.10"], search: ["cluster.local"] },
  };
}

/** What the plugin before ours makes: an interface of the node with the name that the pod's will have, and a name server. */
function describeFirst(cniVersion: string): { readonly interfaces: readonly object[]; readonly ips: readonly object[] } {
  const isOld = cniVersion.startsWith("0.");
  const makes = {
    cniVersion,
    interfaces: [{ name: "eth0" }],
    ips: [{ ...(isOld && { version: "4" }), interface: 0, address: "192.0.2.7/24" }],
    dns: { nameservers: ["192.0.2.1"] },
  };
  return makes;
}
