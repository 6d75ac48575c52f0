import { type GoldenCase, HOST } from "../../../support/golden.ts";
import { DEL_CALLS, error, VERSIONS } from "./shared.ts";

const C1 = { name: "c1_pods", addresses: ["10.244.3.3/24"], in: "c1" };
const C2 = { name: "c2_pods", addresses: ["10.244.3.4/24"], in: "c2" };
const LOOK = ["HcnOpenEndpoint", "HcnQueryEndpointProperties", "HcnCloseEndpoint"];
const OLD = VERSIONS.filter((version) => version !== "1.1.0");

export const GC_CASES: readonly GoldenCase[] = [
  ...OLD.map((version) => ({
    name: `GC ${version}: is younger than this version, code 1, and removes nothing`,
    command: "GC",
    attached: ["c1"],
    stdin: { cniVersion: version, "cni.dev/valid-attachments": [] },
    exit: 1 as const,
    stdout: error(version, 1, "config version does not allow GC", version),
    calls: [],
    endpoints: [HOST, C1],
  })),
  {
    name: "GC 1.1.0: removes what is not listed and keeps what is",
    command: "GC",
    attached: ["c1", "c2"],
    stdin: { "cni.dev/valid-attachments": [{ containerID: "c2", ifname: "eth0" }] },
    exit: 0,
    stdout: "",
    calls: [...DEL_CALLS, "HcnEnumerateNetworks", "HcnEnumerateEndpoints", ...LOOK, ...LOOK],
    endpoints: [HOST, C2],
  },
  {
    name: "GC 1.1.0: the list in its older spelling",
    command: "GC",
    attached: ["c1"],
    stdin: { "cni.dev/attachments": [] },
    exit: 0,
    stdout: "",
    calls: [...DEL_CALLS, "HcnEnumerateNetworks", "HcnEnumerateEndpoints", ...LOOK],
    endpoints: [HOST],
  },
  ...[{}, { "cni.dev/valid-attachments": null }].map((stdin) => ({
    name: `GC 1.1.0: without a list (${JSON.stringify(stdin)}) is code 7 and removes nothing`,
    command: "GC",
    attached: ["c1"],
    stdin,
    exit: 1 as const,
    stdout: error("1.1.0", 7, "cni.dev/valid-attachments"),
    calls: [],
    endpoints: [HOST, C1],
  })),
];

export const STATUS_CASES: readonly GoldenCase[] = [
  ...OLD.map((version) => ({
    name: `STATUS ${version}: is younger than this version, code 1`,
    command: "STATUS",
    stdin: { cniVersion: version },
    exit: 1 as const,
    stdout: error(version, 1, "config version does not allow STATUS", version),
    calls: [],
    endpoints: [],
    networks: [],
  })),
  {
    name: "STATUS 1.1.0: a new node can take pods",
    command: "STATUS",
    stdin: {},
    exit: 0,
    stdout: "",
    calls: ["HcnEnumerateNetworks"],
    endpoints: [],
    networks: [],
  },
  {
    name: "STATUS 1.1.0: a node in use",
    command: "STATUS",
    attached: ["c1"],
    stdin: {},
    exit: 0,
    stdout: "",
    calls: ["HcnEnumerateNetworks"],
    endpoints: [HOST, C1],
  },
  {
    name: "STATUS 1.1.0: HNS does not run, code 50",
    command: "STATUS",
    before: ({ emulator }) => emulator.addFault({ call: "*", kind: "fail", hresult: 0x800706ba }),
    stdin: {},
    exit: 1,
    stdout: error("1.1.0", 50, "0x800706ba", "HRESULT 0x800706ba"),
    calls: ["HcnEnumerateNetworks"],
    endpoints: [],
    networks: [],
  },
  {
    name: "STATUS 1.1.0: a configuration that is wrong is code 7",
    command: "STATUS",
    stdin: { mode: "token-ring" },
    exit: 1,
    stdout: error("1.1.0", 7, "mode"),
    calls: [],
    endpoints: [],
    networks: [],
  },
];

const NOTHING = { calls: [], endpoints: [], networks: [] } as const;

/** VERSION, and the requests that no command gets to see. */
export const VERSION_CASES: readonly GoldenCase[] = [
  ...VERSIONS.map((version) => ({
    name: `VERSION ${version}: echoes the version and lists all`,
    command: "VERSION",
    stdin: JSON.stringify({ cniVersion: version }),
    exit: 0 as const,
    stdout: { cniVersion: version, supportedVersions: [...VERSIONS] },
    ...NOTHING,
  })),
  {
    name: "VERSION without stdin",
    command: "VERSION",
    stdin: "",
    exit: 0,
    stdout: { cniVersion: "1.1.0", supportedVersions: [...VERSIONS] },
    ...NOTHING,
  },
  {
    name: "a version that does not exist is code 1 and lists those that do",
    command: "ADD",
    container: "c1",
    stdin: { cniVersion: "9.9.9" },
    exit: 1,
    stdout: error("1.1.0", 1, "incompatible CNI versions", '"9.9.9"'),
    ...NOTHING,
  },
  {
    name: "no version means 0.1.0",
    command: "CHECK",
    container: "c1",
    stdin: { cniVersion: "" },
    exit: 1,
    stdout: error("0.1.0", 1, "config version does not allow CHECK", "0.1.0"),
    ...NOTHING,
  },
  {
    name: "an unknown command is code 4",
    command: "DESTROY",
    stdin: {},
    exit: 1,
    stdout: error("1.1.0", 4, "unknown CNI_COMMAND: DESTROY"),
    ...NOTHING,
  },
  {
    name: "missing variables are code 4, all in one",
    command: "ADD",
    stdin: {},
    exit: 1,
    stdout: error("1.1.0", 4, "[CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME]"),
    ...NOTHING,
  },
  {
    name: "stdin that is no JSON is code 6",
    command: "ADD",
    container: "c1",
    stdin: "{",
    exit: 1,
    stdout: error("1.1.0", 6, "stdin", "SyntaxError"),
    ...NOTHING,
  },
  {
    name: "a missing network name is code 7",
    command: "ADD",
    container: "c1",
    stdin: { name: "" },
    exit: 1,
    stdout: error("1.1.0", 7, "missing network name"),
    ...NOTHING,
  },
  {
    name: "a container id with other characters is code 4",
    command: "ADD",
    env: { CNI_CONTAINERID: "a b", CNI_NETNS: "x", CNI_IFNAME: "eth0" },
    stdin: {},
    exit: 1,
    stdout: error("1.1.0", 4, "invalid characters in containerID", "a b"),
    ...NOTHING,
  },
];
