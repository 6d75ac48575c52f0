/** The packaged programs with policies of the configuration's own, in a chain of plugins, and with two networks in one pod. */
import { CniNode, expectSilence, parseDocument, parseError } from "../support/cni-node.ts";
import { endpointsOf } from "../support/leftovers.ts";
import { type CniProgram, describePrograms } from "../support/programs.ts";

const BLOCK = { Type: "ACL", Settings: { Action: "Block", Direction: "Out", Protocols: "6", RemotePorts: "25", Priority: 300 } };

describePrograms("policies and chains", (program: CniProgram) => {
  let node: CniNode;

  beforeAll(async () => {
    node = await CniNode.start(program);
  });
  afterAll(() => node.close());
  beforeEach(() => node.renew());

  /** The policies that the pod's endpoint was made with. */
  async function sentPolicies(): Promise<unknown> {
    const calls = (await node.emulator.calls()).filter(({ name }) => name === "HcnCreateEndpoint");
    const last: unknown = JSON.parse(calls.at(-1)?.args.at(-1) ?? "null");
    return (last as { Policies?: unknown }).Policies;
  }

  it("sends the configuration's policies, the pod's bandwidth and the switches of port mappings with the endpoint", async () => {
    const pod = await node.makePod({
      portMappings: [{ HostPort: 8080, ContainerPort: 80, Protocol: "tcp", HostIP: "" }],
      bandwidth: { IngressRate: 0, IngressBurst: 0, EgressRate: 10_000_000, EgressBurst: 4_294_967_295 },
    });
    const optionalFlags = { localRoutedPortMapping: true };
    const policies = [
      { Name: "EndpointPolicy", Value: BLOCK },
      { Type: "OutBoundNAT", ExceptionList: ["10.64.0.0/16"] },
    ];
    const config = { policies, optionalFlags, loopbackDSR: false, capabilities: { portMappings: true, bandwidth: true } };
    const prevResult = await node.add(pod, { config });
    const last = (Direction: string): object => ({
      Type: "ACL",
      Settings: { Action: "Allow", Direction, RuleType: "Switch", Protocols: "256", Priority: 65500 },
    });
    expect(await sentPolicies()).toEqual([
      { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16", "10.96.0.0/12", "10.64.0.0/16"] } },
      { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NeedEncap: true } },
      { Type: "PortMapping", Settings: { InternalPort: 80, ExternalPort: 8080, Protocol: 6, VIP: "", Flags: 1 } },
      { Type: "QOS", Settings: { MaximumOutgoingBandwidthInBytes: 1_250_000 } },
      BLOCK,
      last("In"),
      last("Out"),
    ]);
    await node.callSilently("CHECK", pod, { config, prevResult });
    await node.callSilently("DEL", pod, { config, prevResult });
  });

  it("refuses a policy that nobody knows with code 7, and makes nothing; its DEL succeeds", async () => {
    const pod = await node.makePod();
    const config = { policies: [{ Type: "Firewall", Settings: {} }] };
    const { code, msg } = parseError(await node.call("ADD", pod, { config }));
    expect(code).toBe(7);
    expect(msg).toContain('policies[0].Type is "Firewall"');
    expect(await node.emulator.networks()).toEqual([]);
    expect(await node.emulator.calls()).toEqual([]);
    await node.callSilently("DEL", pod, { config });
  });

  it("answers with the result of the plugin before it, and ours after that", async () => {
    const pod = await node.makePod();
    const prevResult = {
      cniVersion: "1.1.0",
      interfaces: [{ name: "host0" }],
      ips: [{ address: "192.0.2.7/24", interface: 0 }],
      dns: { nameservers: ["192.0.2.1"] },
    };
    const result = parseDocument(await node.call("ADD", pod, { prevResult }));
    expect(result).toMatchObject({
      interfaces: [{ name: "host0" }, { name: "eth0", sandbox: pod.netns }],
      ips: [
        { address: "192.0.2.7/24", interface: 0 },
        { address: "10.244.3.3/24", interface: 1 },
      ],
      dns: { nameservers: ["192.0.2.1", "10.96.0.10"] },
    });
    expect(parseDocument(await node.call("ADD", pod, { prevResult }))).toEqual(result);
    await node.callSilently("CHECK", pod, { prevResult: result });
    await node.callSilently("DEL", pod, { prevResult: result });
  });

  it("gives the second container of a pod of Docker's the first one's result, and no endpoint", async () => {
    const pause = { ...(await node.makePod()), netns: "none" };
    const web = { ...(await node.makePod()), netns: `container:${pause.containerId}` };
    const first = await node.add(pause);
    const second = await node.add(web);
    expect(second.ips).toEqual(first.ips);
    const endpoints = (await node.emulator.endpoints()).filter(({ name }) => name !== "pods_ep");
    expect(endpoints.map(({ name }) => name)).toEqual([`${pause.containerId}_pods`]);
    await node.callSilently("CHECK", web, { prevResult: second });
    await node.callSilently("DEL", web);
    await node.callSilently("CHECK", pause, { prevResult: first });
    await node.callSilently("DEL", pause);
    expect((await node.emulator.endpoints()).map(({ name }) => name)).toEqual(["pods_ep"]);
  });

  it("gives a pod interfaces on two networks, and a DEL of one leaves the other", async () => {
    const eth0 = await node.makePod();
    const net1 = { ...eth0, ifname: "net1" };
    const config = { name: "storage", ipam: { type: "hns-cni", cidr: "10.245.7.0/24" } };
    const input = (prevResult?: unknown): Record<string, unknown> => ({
      ...node.buildInput({ config, ...(prevResult !== undefined && { prevResult }) }, net1.runtimeConfig),
      name: "storage",
    });
    const env = (command: string): Record<string, string> => ({
      CNI_COMMAND: command,
      CNI_CONTAINERID: net1.containerId,
      CNI_NETNS: net1.netns,
      CNI_IFNAME: net1.ifname,
      CNI_PATH: "C:\\cni",
    });
    await node.add(eth0);
    const second = await node.run(JSON.stringify(input()), env("ADD"));
    expect(parseDocument(second)).toMatchObject({ interfaces: [{ name: "net1" }], ips: [{ address: "10.245.7.3/24" }] });
    expect((await endpointsOf(node, eth0)).map(({ name }) => name).sort()).toEqual(
      [`${eth0.containerId}_pods`, `${eth0.containerId}_storage_net1`].sort(),
    );
    await node.callSilently("DEL", eth0);
    expect((await endpointsOf(node, eth0)).map(({ name }) => name)).toEqual([`${eth0.containerId}_storage_net1`]);
    expectSilence(await node.run(JSON.stringify(input(parseDocument(second))), env("CHECK")));
    expectSilence(await node.run(JSON.stringify(input()), env("DEL")));
    expect(await endpointsOf(node, eth0)).toEqual([]);
  });
});
