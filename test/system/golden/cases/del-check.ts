import { type GoldenCase, HOST } from "../../../support/golden.ts";
import { DEL_CALLS, error, VERSIONS } from "./shared.ts";

const C1 = { name: "c1_pods", addresses: ["10.244.3.3/24"], in: "c1" };
const LOOK = ["HcnOpenEndpoint", "HcnQueryEndpointProperties", "HcnCloseEndpoint"];

export const DEL_CASES: readonly GoldenCase[] = [
  ...VERSIONS.map((version) => ({
    name: `DEL ${version}: takes the endpoint out of its namespace and deletes it, silently`,
    command: "DEL",
    container: "c1",
    attached: ["c1"],
    stdin: { cniVersion: version },
    exit: 0 as const,
    stdout: "",
    calls: DEL_CALLS,
    endpoints: [HOST],
  })),
  ...VERSIONS.map((version) => ({
    name: `DEL ${version}: HNS refuses, which is code 11 without the words that a runtime takes as done`,
    command: "DEL",
    container: "c1",
    attached: ["c1"],
    before: ({ emulator }: Parameters<NonNullable<GoldenCase["before"]>>[0]) =>
      emulator.addFault({ call: "HcnDeleteEndpoint", kind: "fail", hresult: 0x80070005 }),
    stdin: { cniVersion: version },
    exit: 1 as const,
    stdout: error(version, 11, "0x80070005", "HRESULT 0x80070005"),
    calls: DEL_CALLS,
    endpoints: [HOST, { ...C1, in: "nowhere" }],
  })),
  {
    name: "DEL 1.1.0: of what never was is one call and succeeds",
    command: "DEL",
    container: "c2",
    attached: ["c1"],
    stdin: {},
    exit: 0,
    stdout: "",
    calls: ["HcnEnumerateEndpoints"],
    endpoints: [HOST, C1],
  },
  {
    name: "DEL 1.1.0: without namespace, with a configuration that is otherwise broken",
    command: "DEL",
    container: "c1",
    attached: ["c1"],
    before: async ({ emulator }) => emulator.deleteNamespace("AAAAAAAA-0000-4000-8000-000000000001"),
    env: { CNI_NETNS: "" },
    stdin: { mode: "overlay", ipam: {}, prevResult: "broken" },
    exit: 0,
    stdout: "",
    calls: ["HcnOpenNamespace", "HcnDeleteEndpoint"],
    endpoints: [HOST],
  },
];

export const CHECK_CASES: readonly GoldenCase[] = [
  ...(["0.1.0", "0.2.0", "0.3.0", "0.3.1"] as const).map((version) => ({
    name: `CHECK ${version}: is younger than this version, code 1`,
    command: "CHECK",
    container: "c1",
    attached: ["c1"],
    stdin: { cniVersion: version },
    exit: 1 as const,
    stdout: error(version, 1, "config version does not allow CHECK", version),
    calls: [],
    endpoints: [HOST, C1],
  })),
  ...(["0.4.0", "1.0.0", "1.1.0"] as const).map((version) => ({
    name: `CHECK ${version}: all is as ADD made it, silently`,
    command: "CHECK",
    container: "c1",
    attached: ["c1"],
    stdin: {
      cniVersion: version,
      ...(version === "0.4.0"
        ? { prevResult: { cniVersion: "0.4.0", ips: [{ version: "4", address: "10.244.3.3/24" }] } }
        : { prevResult: "prevResult of c1" }),
    },
    exit: 0 as const,
    stdout: "",
    calls: LOOK,
    endpoints: [HOST, C1],
  })),
  ...(["0.4.0", "1.0.0", "1.1.0"] as const).map((version) => ({
    name: `CHECK ${version}: the endpoint is gone, code 103`,
    command: "CHECK",
    container: "c1",
    attached: ["c1"],
    before: async ({ emulator }: Parameters<NonNullable<GoldenCase["before"]>>[0]) => {
      const endpoint = (await emulator.endpoints()).find(({ name }) => name === "c1_pods");
      await emulator.deleteEndpoint(endpoint?.id ?? "");
    },
    stdin: { cniVersion: version },
    exit: 1 as const,
    stdout: error(version, 103, "HNS has no endpoint"),
    calls: ["HcnOpenEndpoint"],
    endpoints: [HOST],
  })),
];
