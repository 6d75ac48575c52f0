/** The version of HNS, as `GET /globals/version` gives it. It is not the version of Windows. */
export interface HnsVersion {
  readonly major: number;
  readonly minor: number;
}

export type HnsFeature =
  | "v2Api"
  | "loopbackDsr"
  | "slash32EndpointPrefixes"
  | "vxlanPort"
  | "dualStack"
  | "sessionAffinity"
  | "setPolicy"
  | "l4Proxy"
  | "l4WfpProxy"
  | "tierAcl"
  | "networkAcl"
  | "nestedIpSet"
  | "disableHostPort"
  | "modifyLoadBalancer"
  | "accelnet"
  | "aclProtocol252"
  | "endpointVlan"
  | "interfaceParameters";

/** From this version on: to the end of the major version, or for ever. */
type Range = readonly [major: number, minor: number, until: "same-major" | "ever"];

// Features came to new releases and were brought back to serviced ones, so a higher version can lack what a lower one has:
// DSR is in 9.3 and not in 10.0. The ranges are those of hcsshim's hcn package.
const RANGES: Readonly<Record<HnsFeature, readonly Range[]>> = {
  v2Api: [[9, 2, "ever"]],
  loopbackDsr: [
    [9, 3, "same-major"],
    [10, 2, "ever"],
  ],
  slash32EndpointPrefixes: [
    [9, 3, "same-major"],
    [10, 4, "ever"],
  ],
  vxlanPort: [[10, 3, "ever"]],
  dualStack: [[11, 10, "ever"]],
  sessionAffinity: [[12, 0, "ever"]],
  setPolicy: [[13, 0, "ever"]],
  l4Proxy: [
    [9, 5, "same-major"],
    [10, 5, "same-major"],
    [11, 11, "same-major"],
    [12, 1, "same-major"],
    [13, 1, "ever"],
  ],
  l4WfpProxy: [[13, 2, "ever"]],
  tierAcl: [[14, 0, "ever"]],
  networkAcl: [[15, 0, "ever"]],
  nestedIpSet: [[15, 0, "ever"]],
  disableHostPort: [[15, 1, "ever"]],
  modifyLoadBalancer: [[15, 4, "ever"]],
  accelnet: [[15, 4, "ever"]],
  aclProtocol252: [[11, 0, "ever"]],
  // No HNS version is published for these two: they came with schema 2.4, and Windows Server 2022 (HNS 13) has schema 2.11.
  endpointVlan: [[13, 0, "ever"]],
  interfaceParameters: [[13, 0, "ever"]],
};

export function supports(version: HnsVersion, feature: HnsFeature): boolean {
  return RANGES[feature].some((range) => inRange(version, range));
}

/** Every feature that `version` has. */
export function listFeatures(version: HnsVersion): HnsFeature[] {
  return allFeatures().filter((feature) => supports(version, feature));
}

/** `9.3`; two versions of the same features need not have equal text. */
export function formatHnsVersion(version: HnsVersion): string {
  return `${version.major}.${version.minor}`;
}

function allFeatures(): HnsFeature[] {
  // Object.keys gives string[]; the keys are HnsFeature by RANGES' own type.
  return Object.keys(RANGES) as HnsFeature[];
}

function inRange(version: HnsVersion, [major, minor, until]: Range): boolean {
  if (version.major === major) return version.minor >= minor;
  return until === "ever" && version.major > major;
}
