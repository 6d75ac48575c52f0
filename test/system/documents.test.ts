/** What HNS is told, field by field: the documents as they crossed the library's border. */
import { CniNode, CONTAINERD_RUNTIME_CONFIG, type CallOptions } from "../support/cni-node.ts";
import { describePrograms, type CniProgram } from "../support/programs.ts";

interface SentCall {
  readonly name: string;
  readonly id: string;
  readonly document: unknown;
}

// Source: the L2Bridge network that Azure's plugin creates. Flags are 0 where Azure has 8 (non-persistent): ours outlives a reboot.
const NETWORK = {
  SchemaVersion: { Major: 2, Minor: 0 },
  Name: "pods",
  Type: "L2Bridge",
  Flags: 0,
  Ipams: [
    {
      Type: "Static",
      Subnets: [{ IpAddressPrefix: "10.244.3.0/24", Routes: [{ NextHop: "10.244.3.1", DestinationPrefix: "0.0.0.0/0" }] }],
    },
  ],
  Policies: [{ Type: "NetAdapterName", Settings: { NetworkAdapterName: "Ethernet" } }],
};

// Source: the endpoint at .2 of L2Bridge nodes with Calico and GKE; the host's own routes and servers apply to it.
const HOST_ENDPOINT = {
  SchemaVersion: { Major: 2, Minor: 0 },
  Name: "pods_ep",
  IpConfigurations: [{ IpAddress: "10.244.3.2", PrefixLength: 24 }],
};

// Source: win-bridge's endpoint (schema 2.0); PrefixLength as Azure's plugin and vpc-bridge send it.
const OUTBOUND_NAT = { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16", "10.96.0.0/12"] } };
const SDN_ROUTE = { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NeedEncap: true } };
// Source: win-bridge with portMappings; 6 is TCP's number, VIP is empty for all addresses of the node.
const PORT_MAPPING = { Type: "PortMapping", Settings: { InternalPort: 80, ExternalPort: 8080, Protocol: 6, VIP: "" } };
// Source: win-bridge with loopbackDSR.
const LOOPBACK_DSR = { Type: "OutBoundNAT", Settings: { Destinations: ["10.244.3.3"] } };

const README_DNS = { Search: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"], ServerList: ["10.96.0.10"] };
const POD_DNS = { Search: ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local"], ServerList: ["10.96.0.10"] };

describePrograms("the documents HNS gets", (program: CniProgram) => {
  let node: CniNode;

  beforeAll(async () => {
    node = await CniNode.start(program);
  });
  afterAll(() => node.close());
  beforeEach(() => node.renew());

  async function addAndRead(
    runtimeConfig?: object,
    options?: CallOptions,
  ): Promise<{ network: SentCall; host: SentCall; pod: SentCall; name: string }> {
    const pod = await node.makePod(runtimeConfig === undefined ? undefined : { ...runtimeConfig });
    await node.add(pod, options);
    const calls = await node.emulator.calls();
    const sent = (name: string): SentCall[] =>
      calls.filter((call) => call.name === name).map(({ args }) => ({ name, id: args.at(-2) ?? "", document: parse(args.at(-1)) }));
    const [[network], [host, endpoint]] = [sent("HcnCreateNetwork"), sent("HcnCreateEndpoint")];
    if (network === undefined || host === undefined || endpoint === undefined) throw new Error("a document was not sent");
    return { network, host, pod: endpoint, name: `${pod.containerId}_pods` };
  }

  it("describe the network, the host endpoint and the pod's endpoint", async () => {
    const { network, host, pod, name } = await addAndRead();
    expect(network.document).toEqual(NETWORK);
    expect(host.document).toEqual({ ...HOST_ENDPOINT, HostComputeNetwork: network.id });
    expect(pod.document).toEqual({
      SchemaVersion: { Major: 2, Minor: 0 },
      Name: name,
      HostComputeNetwork: network.id,
      Policies: [OUTBOUND_NAT, SDN_ROUTE, LOOPBACK_DSR],
      IpConfigurations: [{ IpAddress: "10.244.3.3", PrefixLength: 24 }],
      Dns: README_DNS,
      Routes: [{ NextHop: "10.244.3.2", DestinationPrefix: "0.0.0.0/0" }],
    });
    // Each object has an id of its own that we chose: without one, a call that failed for us could not be followed up.
    expect(new Set([network.id, host.id, pod.id, "00000000-0000-0000-0000-000000000000"]).size).toBe(4);
  });

  it("map the pod's ports and carry its own DNS settings", async () => {
    const { pod } = await addAndRead(CONTAINERD_RUNTIME_CONFIG);
    expect(pod.document).toMatchObject({ Dns: POD_DNS, Policies: [OUTBOUND_NAT, SDN_ROUTE, PORT_MAPPING, LOOPBACK_DSR] });
  });

  it.each([
    ["10.0, which came after 9.3 and lacks what that has", { Major: 10, Minor: 0 }],
    ["9.2", { Major: 9, Minor: 2 }],
  ])("have no loopback policy for HNS %s", async (_, version) => {
    await node.emulator.set({ version });
    const { pod } = await addAndRead(CONTAINERD_RUNTIME_CONFIG);
    expect(pod.document).toMatchObject({ Policies: [OUTBOUND_NAT, SDN_ROUTE, PORT_MAPPING] });
  });

  it("join the pod's namespace and the node's first compartment", async () => {
    const { host, pod } = await addAndRead();
    const calls = await node.emulator.calls();
    const joins = calls.filter(({ name }) => name === "HcnModifyNamespace").map(({ args }) => parse(args[1]));
    expect(joins).toEqual([{ ResourceType: "Endpoint", RequestType: "Add", Settings: { EndpointId: pod.id } }]);
    const attaches = calls.filter(({ name, args }) => name === "HNSCall" && args[0] === "POST");
    expect(attaches.map(({ args }) => [args[1], parse(args[2])])).toEqual([
      [`/endpoints/${host.id}/attach`, { SystemType: "Host", CompartmentId: 1 }],
    ]);
  });
});

function parse(argument: string | null | undefined): unknown {
  return JSON.parse(argument ?? "null");
}
