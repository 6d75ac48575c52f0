import type { PolicyDocument } from "../hcn/documents.ts";

/** VLAN ids a switch takes; 0 and 4095 are reserved by IEEE 802.1Q. */
export const VLAN_RANGE = { first: 1, last: 4094 } as const;
/** Virtual subnet ids (VXLAN's VNI): HNS keeps those below 4096 to itself, and 16777215 is the last of 24 bits. */
export const VSID_RANGE = { first: 4096, last: 2 ** 24 - 1 } as const;

/**
 * Tags traffic with a VLAN. The same document stands in a subnet's policies, for all endpoints of the subnet, or, from HNS 13 on, in
 * an endpoint's own. Source: `{"Type":"VLAN","Settings":{"IsolationId":7}}` of the HCN schema, where endpoints have it since 2.4.
 */
export function buildVlan(id: number): PolicyDocument {
  return { Type: "VLAN", Settings: { IsolationId: id } };
}

/** The virtual subnet of an overlay network's subnet. Source: `{"Type":"VSID","Settings":{"IsolationId":4096}}` of the HCN schema. */
export function buildVsid(id: number): PolicyDocument {
  return { Type: "VSID", Settings: { IsolationId: id } };
}
