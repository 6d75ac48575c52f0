/** The packaged programs as the plugin: addresses that pods ask for, and addresses that pods get back. */
import { CniNode, parseError, type Pod, README_LIST } from "../support/cni-node.ts";
import { describePrograms } from "../support/programs.ts";
import { containing } from "../unit/core/cni/matchers.ts";

const IPAM = { type: "hns-cni", pools: [{ cidr: "10.244.3.0/24" }], cooldownSeconds: 0 };
/** A runtime passes on what is asked for here alone. */
const CAPABILITIES = { dns: true, ips: true, "io.kubernetes.cri.pod-annotations": true };
const LIST = { ...README_LIST, plugins: README_LIST.plugins.map((plugin) => ({ ...plugin, capabilities: CAPABILITIES, ipam: IPAM })) };

describePrograms("addresses", (program) => {
  let node: CniNode;

  beforeAll(async () => {
    node = await CniNode.start(program, LIST);
  });
  afterAll(() => node.close());
  beforeEach(() => node.renew());

  const named = (name: string): { env: Record<string, string> } => ({
    env: { CNI_ARGS: `K8S_POD_NAME=${name};IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_UID=${name}-uid` },
  });
  const endpointAddresses = async (pod: Pod): Promise<string[]> =>
    (await node.emulator.endpoints()).filter(({ namespace }) => namespace === pod.netns).flatMap(({ addresses }) => addresses);

  it("asked for by an annotation are the pod's, in the result and in HNS", async () => {
    const annotations = { "hns-cni.io/ip-addresses": "10.244.3.77" };
    const pod = await node.makePod({ "io.kubernetes.cri.pod-annotations": annotations });
    const result = await node.add(pod);
    expect(result.ips).toMatchObject([{ address: "10.244.3.77/24", gateway: "10.244.3.2" }]);
    expect(await endpointAddresses(pod)).toEqual(["10.244.3.77/24"]);
    expect(await node.add(pod)).toEqual(result);
    const other = await node.makePod({ ips: ["10.244.3.77/24"] });
    expect(parseError(await node.call("ADD", other))).toMatchObject({
      code: 11,
      msg: containing("10.244.3.77, and pod default/web-0 has it"),
    });
    const outside = await node.makePod({ ips: ["10.9.9.9"] });
    expect(parseError(await node.call("ADD", outside))).toMatchObject({
      code: 7,
      msg: containing("runtimeConfig.ips[0] asks for 10.9.9.9"),
    });
    expect(node.state().addresses.filter(({ state }) => state === "assigned")).toHaveLength(1);
    expect(node.log().filter(({ msg }) => String(msg) === "configuration")).toEqual([]);
  });

  it("are given back to the pod of a StatefulSet after DEL and ADD, whoever came between", async () => {
    const first = await node.makePod();
    expect((await node.add(first, named("db-0"))).ips).toMatchObject([{ address: "10.244.3.3/24" }]);
    await node.callSilently("DEL", first, named("db-0"));
    expect((await node.add(await node.makePod(), named("web-a"))).ips).toMatchObject([{ address: "10.244.3.4/24" }]);
    expect((await node.add(await node.makePod(), named("db-0"))).ips).toMatchObject([{ address: "10.244.3.3/24" }]);
  });
});
