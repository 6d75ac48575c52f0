import { formatHnsVersion, listFeatures, supports } from "../../../../src/core/hcn/features.ts";
import type { HnsFeature, HnsVersion } from "../../../../src/core/hcn/features.ts";

function version(text: string): HnsVersion {
  const [major, minor] = text.split(".").map(Number);
  return { major: major ?? NaN, minor: minor ?? NaN };
}

/** Versions on both sides of every limit: those with the feature, those without it. */
const cases: Record<HnsFeature, { has: string[]; lacks: string[] }> = {
  v2Api: { has: ["9.2", "9.5", "10.0", "15.4"], lacks: ["7.2", "8.9", "9.0", "9.1"] },
  loopbackDsr: { has: ["9.3", "9.99", "10.2", "10.3", "11.0", "15.4"], lacks: ["8.3", "9.2", "10.0", "10.1"] },
  slash32EndpointPrefixes: { has: ["9.3", "9.99", "10.4", "11.0", "16.0"], lacks: ["9.2", "10.0", "10.3"] },
  vxlanPort: { has: ["10.3", "11.0"], lacks: ["9.3", "9.99", "10.2"] },
  dualStack: { has: ["11.10", "12.0"], lacks: ["10.10", "11.9"] },
  sessionAffinity: { has: ["12.0", "13.0"], lacks: ["11.99"] },
  setPolicy: { has: ["13.0", "14.0"], lacks: ["12.99"] },
  l4Proxy: {
    has: ["9.5", "9.99", "10.5", "10.99", "11.11", "11.99", "12.1", "12.99", "13.1", "14.0", "15.0"],
    lacks: ["9.4", "10.0", "10.4", "11.0", "11.10", "12.0", "13.0"],
  },
  l4WfpProxy: { has: ["13.2", "14.0"], lacks: ["12.2", "13.1"] },
  tierAcl: { has: ["14.0", "15.0"], lacks: ["13.99"] },
  networkAcl: { has: ["15.0", "16.0"], lacks: ["14.99"] },
  nestedIpSet: { has: ["15.0", "16.0"], lacks: ["14.99"] },
  disableHostPort: { has: ["15.1", "16.0"], lacks: ["14.1", "15.0"] },
  modifyLoadBalancer: { has: ["15.4", "16.0"], lacks: ["15.3"] },
  accelnet: { has: ["15.4", "16.0"], lacks: ["15.3"] },
  aclProtocol252: { has: ["11.0", "12.0"], lacks: ["10.99", "9.5"] },
  endpointVlan: { has: ["13.0", "15.0"], lacks: ["12.99", "9.5"] },
  interfaceParameters: { has: ["13.0", "15.0"], lacks: ["12.99", "9.5"] },
};

const features = Object.keys(cases) as HnsFeature[];
const rows = features.flatMap((feature) => [
  ...cases[feature].has.map((text) => [text, "has", feature] as const),
  ...cases[feature].lacks.map((text) => [text, "lacks", feature] as const),
]);

test.each(rows)("HNS %s %s %s", (text, verdict, feature) => {
  expect(supports(version(text), feature)).toBe(verdict === "has");
});

test("a version of nothing has no features, a late one has all", () => {
  expect(listFeatures({ major: 0, minor: 0 })).toEqual([]);
  expect(listFeatures({ major: 99, minor: 0 }).sort()).toEqual([...features].sort());
});

test("the list of a version's features follows the holes", () => {
  expect(listFeatures(version("10.1"))).toEqual(["v2Api"]);
  expect(listFeatures(version("9.5"))).toEqual(["v2Api", "loopbackDsr", "slash32EndpointPrefixes", "l4Proxy"]);
});

test("a version is written major.minor", () => {
  expect(formatHnsVersion({ major: 11, minor: 10 })).toBe("11.10");
});
