/** The packaged programs on networks of every mode, with addresses of their own and of HNS. */
import { CniNode, expectSilence, parseDocument, parseError } from "../support/cni-node.ts";
import { endpointsOf } from "../support/leftovers.ts";
import { MODE_NODES } from "../support/mode-nodes.ts";
import { type CniProgram, describePrograms } from "../support/programs.ts";

describePrograms("networks of every mode", (program: CniProgram) => {
  let node: CniNode;

  beforeAll(async () => {
    node = await CniNode.start(program);
  });
  afterAll(() => node.close());
  beforeEach(() => node.renew());

  /** Null is absent: without `ipam` HNS chooses the addresses. */
  const configOf = ({ addresses, config = {} }: (typeof MODE_NODES)[number]["options"]): Record<string, unknown> => ({
    ...config,
    ...(addresses === "hns" && { ipam: null }),
  });

  it.each(MODE_NODES)("$name: ADD, ADD again, CHECK, STATUS, DEL, DEL again", async ({ options, type, address, gateway }) => {
    const config = configOf(options);
    const pod = await node.makePod();
    const first = await node.call("ADD", pod, { config });
    expect(first).toMatchObject({ code: 0, stderr: "" });
    const prevResult = parseDocument(first);
    expect(prevResult).toMatchObject({ ips: [{ address, interface: 0, ...(gateway !== undefined && { gateway }) }] });
    expect((await node.emulator.networks()).map((network) => network.type)).toEqual([type]);
    expect(await endpointsOf(node, pod)).toMatchObject([{ name: `${pod.containerId}_pods`, addresses: [address] }]);
    expect(await node.call("ADD", pod, { config })).toEqual(first);
    expectSilence(await node.call("CHECK", pod, { config, prevResult }));
    expectSilence(await node.callForNetwork("STATUS", { config }));
    expectSilence(await node.call("DEL", pod, { config, prevResult }));
    expectSilence(await node.call("DEL", pod, { config, prevResult }));
    expect(await endpointsOf(node, pod)).toEqual([]);
    expect((await node.emulator.endpoints()).filter(({ name }) => name !== "pods_ep")).toEqual([]);
    expect(await node.emulator.handles()).toEqual([]);
  });

  it("without a mode and a network says that mode is missing, with code 7; with a network of others uses its type", async () => {
    const pod = await node.makePod();
    const config = { mode: null };
    const { code, msg } = parseError(await node.call("ADD", pod, { config }));
    expect(code).toBe(7);
    expect(msg).toContain("mode is missing");
    const subnet = { IpAddressPrefix: "10.244.3.0/24", Routes: [{ NextHop: "10.244.3.1", DestinationPrefix: "0.0.0.0/0" }] };
    await node.emulator.createNetwork({ Name: "pods", Type: "Overlay", Ipams: [{ Type: "Static", Subnets: [subnet] }] });
    const outcome = await node.call("ADD", pod, { config });
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(parseDocument(outcome)).toMatchObject({ interfaces: [{ mac: "0e:2a:0a:f4:03:03" }] });
    expectSilence(await node.call("CHECK", pod, { config, prevResult: parseDocument(outcome) }));
    expectSilence(await node.call("DEL", pod, { config }));
  });

  it("gives the MAC address that CNI_ARGS asks for", async () => {
    const pod = await node.makePod();
    const env = { CNI_ARGS: "IgnoreUnknown=1;MAC=0e:2a:00:00:00:0f" };
    const outcome = await node.call("ADD", pod, { env });
    expect(parseDocument(outcome)).toMatchObject({ interfaces: [{ mac: "0e:2a:00:00:00:0f" }] });
    await node.callSilently("DEL", pod);
    const refused = await node.call("ADD", await node.makePod(), { env: { CNI_ARGS: "IgnoreUnknown=1;MAC=01:00:5e:00:00:01" } });
    expect(parseError(refused)).toMatchObject({ code: 4 });
  });
});
