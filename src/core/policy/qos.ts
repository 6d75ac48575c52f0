import type { PolicyDocument } from "../hcn/documents.ts";

/** The `bandwidth` capability: rates in bits a second, bursts in bits; 0 and absent mean no limit. */
export interface Bandwidth {
  readonly ingressRate?: number;
  readonly ingressBurst?: number;
  readonly egressRate?: number;
  readonly egressBurst?: number;
}

/** containerd sends this burst with every rate; it asks for nothing. */
const NO_BURST_LIMIT = 2 ** 32 - 1;

const BITS_IN_BYTE = 8;

/** Below this reports say that HNS does not hold the limit. */
const LEAST_BYTES = 10_000;

/**
 * Limits what the pod sends. HNS knows no limit for what a pod receives and no burst; both are told in `warnings`.
 * Source: `{"Type":"QOS","Settings":{"MaximumOutgoingBandwidthInBytes":..}}` of the HCN schema, in bytes a second.
 */
export function buildQos(bandwidth: Bandwidth): { policies: PolicyDocument[]; warnings: string[] } {
  const { ingressRate = 0, egressRate = 0 } = bandwidth;
  const warnings: string[] = [];
  if (ingressRate > 0) warnings.push(`ingressRate ${ingressRate} is not applied: HNS limits only what a pod sends`);
  for (const field of ["ingressBurst", "egressBurst"] as const) {
    const burst = bandwidth[field] ?? 0;
    if (burst > 0 && burst < NO_BURST_LIMIT) warnings.push(`${field} ${burst} is not applied: HNS has no burst`);
  }
  if (egressRate <= 0) return { policies: [], warnings };
  // Never 0, which HNS would take for no limit.
  const bytes = Math.max(1, Math.floor(egressRate / BITS_IN_BYTE));
  if (bytes < LEAST_BYTES)
    warnings.push(`egressRate ${egressRate} may not be held: HNS is unreliable below ${LEAST_BYTES * BITS_IN_BYTE} bit/s`);
  return { policies: [{ Type: "QOS", Settings: { MaximumOutgoingBandwidthInBytes: bytes } }], warnings };
}
