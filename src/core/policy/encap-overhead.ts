import type { PolicyDocument } from "../hcn/documents.ts";

/** Bytes that VXLAN over IPv4 puts around a packet: Ethernet 14, IP 20, UDP 8, VXLAN 8. */
export const VXLAN_OVERHEAD = 50;

/**
 * Takes `bytes` (0 to 65535) off the largest packet of the pod, so that it fits once it is wrapped for a tunnel.
 * Source: `{"Type":"EncapOverhead","Settings":{"Overhead":50}}` of the HCN schema.
 */
export function buildEncapOverhead(bytes: number): PolicyDocument {
  return { Type: "EncapOverhead", Settings: { Overhead: bytes } };
}
