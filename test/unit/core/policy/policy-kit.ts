import { type Cidr, findCidr, findIp, type IpAddress } from "../../../../src/core/base/ip.ts";
import type { PolicyDocument } from "../../../../src/core/hcn/documents.ts";
import type { HnsVersion } from "../../../../src/core/hcn/features.ts";
import { L2_NETWORK, ModelKit, ZERO } from "../../emulator/model-kit.ts";

export function cidrs(...texts: string[]): Cidr[] {
  return texts.map((text) => {
    const found = findCidr(text);
    if (found === undefined) throw new Error(text);
    return found;
  });
}

export function ip(text: string): IpAddress {
  const found = findIp(text);
  if (found === undefined) throw new Error(text);
  return found;
}

export function version(text: string): HnsVersion {
  const [major = NaN, minor = NaN] = text.split(".").map(Number);
  return { major, minor };
}

/** Late enough for everything. */
export const LATEST = version("15.4");

/** The HRESULT of creating an endpoint with these policies on an emulated HNS of this version. */
export function createEndpointWith(policies: readonly PolicyDocument[], { major, minor }: HnsVersion): number {
  const kit = new ModelKit({ version: { Major: major, Minor: minor } });
  return kit.code("HcnCreateEndpoint", kit.network(), ZERO, { Policies: policies });
}

/** The same for a network. */
export function createNetworkWith(policies: readonly PolicyDocument[], { major, minor }: HnsVersion): number {
  return new ModelKit({ version: { Major: major, Minor: minor } }).code("HcnCreateNetwork", ZERO, { ...L2_NETWORK, Policies: policies });
}
