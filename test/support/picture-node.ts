/**
 * The node of docs/topology.svg: a network of ours with three pods, and one that the node's administrator made, used for two more. Made by
 * the engine on the emulated HNS, with the same ids every time.
 */
import { createHash } from "node:crypto";
import type { CliWorld } from "../../src/cli/world.ts";
import { showTopology } from "../../src/cli/topology.ts";
import { buildGuid, formatGuid, ZERO_GUID } from "../../src/core/base/ids.ts";
import { attachEndpoint } from "../emulator/model/attachments-v1.ts";
import { createEndpoint } from "../emulator/model/endpoints.ts";
import { createNamespace } from "../emulator/model/namespaces.ts";
import { createNetwork } from "../emulator/model/networks.ts";
import { ModelBackend } from "../emulator/model-backend.ts";
import { buildConfig, EngineFixture } from "./engine-fixture.ts";

interface PicturePod {
  readonly network: "pods" | "storage";
  readonly name: string;
  readonly portMappings?: readonly object[];
}

const PODS: readonly PicturePod[] = [
  { network: "pods", name: "web-0", portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }] },
  { network: "pods", name: "web-1" },
  { network: "pods", name: "queue-0" },
  { network: "storage", name: "files-0" },
  { network: "storage", name: "files-1" },
];

const CONFIGS = {
  pods: { name: "pods", adapter: "Ethernet" },
  storage: { name: "storage", adapter: "Ethernet 2", serviceCidrs: [], clusterCidrs: ["10.245.0.0/16"], ipam: { cidr: "10.245.3.0/24" } },
} as const;

/** The node with its five pods. Close it. */
export async function makePictureNode(): Promise<EngineFixture> {
  const adapters = [
    { name: "Ethernet", address: "10.0.0.4/24" },
    { name: "Ethernet 2", address: "10.1.0.4/24" },
  ];
  const node = new EngineFixture({ settings: { adapters } });
  makeForeignNetwork(node);
  for (const pod of PODS) await addPod(node, pod);
  return node;
}

/** With an endpoint of the node on it, through which the pods' way leads. */
function makeForeignNetwork({ model: { world } }: EngineFixture): void {
  const network = createNetwork(world, fixedId("storage"), {
    Name: "storage",
    Type: "L2Bridge",
    Policies: [{ Type: "NetAdapterName", Settings: { NetworkAdapterName: "Ethernet 2" } }],
    Ipams: [
      {
        Type: "Static",
        Subnets: [{ IpAddressPrefix: "10.245.3.0/24", Routes: [{ NextHop: "10.245.3.1", DestinationPrefix: "0.0.0.0/0" }] }],
      },
    ],
  });
  const addresses = [{ IpAddress: "10.245.3.2", PrefixLength: 24 }];
  const gateway = createEndpoint(world, network.id, fixedId("gateway"), { Name: "storage-gateway", IpConfigurations: addresses });
  attachEndpoint(world, gateway, { SystemType: "Host", CompartmentId: 1 });
}

async function addPod(node: EngineFixture, { network, name, portMappings = [] }: PicturePod): Promise<void> {
  node.config = buildConfig({ ...CONFIGS[network], capabilities: { portMappings: true }, runtimeConfig: { portMappings } });
  const netns = createNamespace(node.model.world, fixedId(name), {}).id;
  const containerId = createHash("sha256").update(name).digest("hex");
  await node.add({ network, containerId, ifname: "eth0", netns: netns.toLowerCase() });
}

function fixedId(name: string): string {
  return formatGuid(buildGuid(ZERO_GUID, ["picture", name]));
}

/** What `hns-cni topology` prints on that node. */
export async function drawNode(node: EngineFixture, output: "svg" | "tree"): Promise<string> {
  let out = "";
  await showTopology(
    buildWorld(node, (text) => void (out += text)),
    {
      network: undefined,
      charset: undefined,
      stateDir: undefined,
      timeout: 30,
      output,
    },
  );
  return out;
}

function buildWorld(node: EngineFixture, writeOut: (text: string) => void): CliWorld {
  const absent = (): never => {
    throw new Error("this node has none");
  };
  const { store } = node;
  return {
    version: "0.0.0",
    nodeVersion: "0.0.0",
    platform: "linux-x64",
    defaultStateDir: "state",
    joinPath: (folder, file) => `${folder}/${file}`,
    readFile: absent,
    readStdin: absent,
    listFiles: absent,
    hasFile: absent,
    writeFile: absent,
    writeOut,
    writeError: absent,
    hasState: () => true,
    openState: () => ({ transaction: (work) => store.transaction(work), read: (work) => store.read(work), close: () => undefined }),
    openClock: () => node.clock,
    openHns: () => new ModelBackend(node.model),
    openMachine: absent,
    openUplinks: absent,
    openSnapshot: absent,
    onInterrupt: absent,
    openService: absent,
    askAgent: absent,
    followFile: absent,
    terminal: { isTerminal: false, isWindows: false, variables: {} },
  };
}
