import type { Settings } from "./world.ts";

type Version = Settings["version"];

/** What HNS learned over time and refuses before. */
export type Feature =
  | "V2Api"
  | "RemoteSubnetRoute"
  | "HostRoute"
  | "DirectServerReturn"
  | "Slash32"
  | "AclProtocol252"
  | "SessionAffinity"
  | "DualStack"
  | "VxlanPort"
  | "L4Proxy"
  | "SetPolicy"
  | "L4WfpProxy"
  | "TierAcl"
  | "NetworkAcl"
  | "NestedIpSet"
  | "DisableHostPort"
  | "ModifyLoadBalancer"
  | "AcceleratedNetworking"
  | "EndpointVlan"
  | "InterfaceParameters";

/** First version, and the last one that is still included; a backport to one major version ends with that major version. */
type Range = readonly [from: readonly [number, number], lastMajor?: number];

/** Which versions have what, holes of the backports included. Source: hcsshim's version ranges, written down here a second time on purpose. */
const RANGES: Readonly<Record<Feature, readonly Range[]>> = {
  V2Api: [[[9, 2]]],
  RemoteSubnetRoute: [[[9, 2]]],
  HostRoute: [[[9, 2]]],
  DirectServerReturn: [[[9, 3], 9], [[10, 2]]],
  Slash32: [[[9, 3], 9], [[10, 4]]],
  AclProtocol252: [[[11, 0]]],
  SessionAffinity: [[[12, 0]]],
  DualStack: [[[11, 10]]],
  VxlanPort: [[[10, 3]]],
  L4Proxy: [[[9, 5], 9], [[10, 5], 10], [[11, 11], 11], [[12, 1], 12], [[13, 1]]],
  SetPolicy: [[[13, 0]]],
  L4WfpProxy: [[[13, 2]]],
  TierAcl: [[[14, 0]]],
  NetworkAcl: [[[15, 0]]],
  NestedIpSet: [[[15, 0]]],
  DisableHostPort: [[[15, 1]]],
  ModifyLoadBalancer: [[[15, 4]]],
  AcceleratedNetworking: [[[15, 4]]],
  EndpointVlan: [[[13, 0]]],
  InterfaceParameters: [[[13, 0]]],
};

/** The version of HNS that each Windows Server brings; 2019 is 1809 with its later updates. */
export const VERSION_PRESETS: Readonly<Record<string, Version>> = {
  "1809": { Major: 9, Minor: 2 },
  "2019": { Major: 9, Minor: 5 },
  "2022": { Major: 13, Minor: 3 },
  "2025": { Major: 15, Minor: 4 },
};

/** Whether HNS of this version has the feature. */
export function knows({ Major, Minor }: Version, feature: Feature): boolean {
  return RANGES[feature].some(([[major, minor], lastMajor = Infinity]) => {
    const isFirst = Major > major || (Major === major && Minor >= minor);
    return isFirst && Major <= lastMajor;
  });
}
