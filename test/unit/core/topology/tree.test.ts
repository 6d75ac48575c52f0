import { buildTopology } from "../../../../src/core/topology/model.ts";
import { renderTree, type TreeStyle } from "../../../../src/core/topology/tree.ts";
import { DOCUMENTS, EMPTY, EMPTY_NAMESPACE, NAMESPACE, NAT, PODS, sampleTopology } from "./sample.ts";

const PLAIN: TreeStyle = { charset: "utf8", hasColours: false };

const TREE = `node: 2 networks, 4 endpoints, 2 namespaces
├─ network Default Switch  NAT  [foreign]
│  └─ id ${NAT}
├─ network pods  L2Bridge on Ethernet  [ours]
│  ├─ id ${PODS}
│  ├─ subnet 10.244.3.0/24  gateway 10.244.3.1
│  ├─ policies NetAdapterName 1
│  ├─ host endpoint pods_ep  10.244.3.2/24  00:15:5d:40:00:00  [ours]
│  ├─ endpoint strange  10.244.3.9  no MAC  [foreign]
│  │  └─ attached to nothing
│  └─ endpoint c0ffee00c0ff…_pods  10.244.3.10/24  00:15:5d:40:00:01  [ours]
│     ├─ namespace ${NAMESPACE}
│     ├─ policies OutBoundNAT 1, ACL 2
│     └─ route 0.0.0.0/0 → 10.244.3.2
├─ endpoints of networks that HNS does not have
│  └─ endpoint stray  no address  no MAC  [foreign]
│     └─ an endpoint of another node
├─ namespaces without endpoints
│  └─ ${EMPTY_NAMESPACE}  Guest  compartment 3  1 container
├─ load balancers
│  └─ 10.96.0.10  53/udp → 1053  1 endpoint
└─ routes of HNS
   └─ 10.96.0.0/12  encapsulated  1 endpoint
`;

const ASCII_TREE = `node: 1 network, 1 endpoint, 0 namespaces
\`- network n?tz  NAT
   |- id ${NAT}
   |- subnet 10.1.0.0/16  no gateway  VSID 1
   \`- endpoint (no name)  10.1.0.4/16  no MAC
      |- in no namespace
      \`- route 0.0.0.0/0 -> 10.1.0.1
`;

describe("the tree", () => {
  it("is exactly this", () => expect(renderTree(sampleTopology(), PLAIN)).toBe(TREE));

  it("of an empty node is one line", () => {
    expect(renderTree(buildTopology(EMPTY, undefined), PLAIN)).toBe("node: 0 networks, 0 endpoints, 0 namespaces\n");
  });

  it("has nothing beyond ASCII when that is asked", () => {
    const subnet = { IpAddressPrefix: "10.1.0.0/16", Policies: [{ Type: "VSID", Settings: { IsolationId: 1 } }] };
    const topology = buildTopology(
      {
        ...EMPTY,
        networks: [{ ID: NAT, Name: "nötz", Ipams: [{ Subnets: [subnet] }] }],
        endpoints: [
          {
            ID: PODS,
            HostComputeNetwork: NAT,
            IpConfigurations: [{ IpAddress: "10.1.0.4", PrefixLength: 16 }],
            Routes: [{ DestinationPrefix: "0.0.0.0/0", NextHop: "10.1.0.1" }],
          },
        ],
      },
      undefined,
    );
    expect(renderTree(topology, { charset: "ascii", hasColours: false })).toBe(ASCII_TREE);
  });

  it("says what HNS would not tell", () => {
    expect(renderTree(buildTopology({ ...EMPTY, warnings: ["HNS did not tell its routes: no"] }, undefined), PLAIN)).toBe(
      "node: 0 networks, 0 endpoints, 0 namespaces\n└─ remarks\n   └─ HNS did not tell its routes: no\n",
    );
  });

  it("with colours says the same, each colour ended on its line", () => {
    const coloured = renderTree(sampleTopology(), { charset: "utf8", hasColours: true });
    expect(coloured).toContain("network \u001b[1mpods\u001b[0m  L2Bridge on Ethernet  \u001b[32m[ours]\u001b[0m\n");
    // eslint-disable-next-line no-control-regex -- the colours are control characters
    expect(coloured.replaceAll(/\u001b\[\d+m([^\u001b\n]*)\u001b\[0m/g, "$1")).toBe(TREE);
  });

  it("cuts long names, and lets none change the terminal or the line", () => {
    const [first, ...others] = DOCUMENTS.networks;
    const names = [`\u001b[31m\r\n\u202e${"x".repeat(300)}`, "名".repeat(100)];
    for (const Name of names) {
      const text = renderTree(buildTopology({ ...DOCUMENTS, networks: [{ ...(first as object), Name }, ...others] }, undefined), PLAIN);
      expect(text.split("\n")).toHaveLength(TREE.split("\n").length);
      // eslint-disable-next-line no-control-regex -- none of them may be left
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    }
    const cut = (Name: string): string | undefined =>
      /network (\S+) {2}/.exec(renderTree(buildTopology({ ...EMPTY, networks: [{ ID: NAT, Name }] }, undefined), PLAIN))?.[1];
    expect(cut("x".repeat(61))).toBe(`${"x".repeat(59)}…`);
    expect(cut("x".repeat(60))).toBe("x".repeat(60));
    expect(cut("名".repeat(31))).toBe(`${"名".repeat(29)}…`);
  });
});
