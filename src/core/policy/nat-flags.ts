import { type Family, formatIp, type IpAddress } from "../base/ip.ts";

/** Address families in the order their policies are sent. */
export const FAMILIES: readonly Family[] = [4, 6];

/** Bits of `Flags` in PortMapping and OutBoundNAT. Source: NatFlags of the published HNS schema and of hcsshim. */
export const NAT_LOCAL_ROUTED_VIP = 1;
export const NAT_IPV6 = 2;

/** `{Flags}` of a NAT policy for one family; without a bit set the field is left out. */
export function natFlags(family: Family, more = 0): { readonly Flags?: number } {
  const flags = more | (family === 6 ? NAT_IPV6 : 0);
  return flags === 0 ? {} : { Flags: flags };
}

/** The first address of the family as text. */
export function findOfFamily(addresses: readonly IpAddress[], family: Family): string | undefined {
  const found = addresses.find((address) => address.family === family);
  return found === undefined ? undefined : formatIp(found);
}
