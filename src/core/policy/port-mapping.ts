import { type Family, formatIp, type IpAddress } from "../base/ip.ts";
import type { PolicyDocument } from "../hcn/documents.ts";
import { ACL_PRIORITY, buildAcl } from "./acl.ts";
import { FAMILIES, NAT_LOCAL_ROUTED_VIP, natFlags } from "./nat-flags.ts";
import { PROTOCOL_NUMBERS } from "./protocols.ts";

/** Of which protocols ports can be mapped. */
export type Protocol = "tcp" | "udp" | "sctp";

export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: Protocol;
  /** Absent means every address of the node. */
  readonly hostIp?: IpAddress;
}

export interface PortMappingOptions {
  /** Families of the pod: a mapping for every address of the node becomes one policy for each. Default: IPv4. */
  readonly families?: readonly Family[];
  /** Pods of the node itself reach the mapped port too. */
  readonly localRoutedVip?: boolean;
}

/**
 * Makes ports of the pod reachable on the node. `VIP` is "" when every address of the node listens. A mapping that names an address gives
 * one policy, of that address's family.
 * Source: `{"Type":"PortMapping","Settings":{"InternalPort":80,"ExternalPort":8080,"Protocol":6,"VIP":""}}` of the HCN schema, with
 * `Flags` 1 (LocalRoutedVip) and 2 (IPv6, needs HNS 11.10).
 */
export function buildPortMappings(mappings: readonly PortMapping[], options: PortMappingOptions = {}): PolicyDocument[] {
  const { families = [4], localRoutedVip = false } = options;
  return mappings.flatMap((mapping) =>
    FAMILIES.filter((family) => (mapping.hostIp === undefined ? families.includes(family) : mapping.hostIp.family === family)).map(
      (family) => ({
        Type: "PortMapping",
        Settings: {
          InternalPort: mapping.containerPort,
          ExternalPort: mapping.hostPort,
          Protocol: PROTOCOL_NUMBERS[mapping.protocol],
          VIP: mapping.hostIp === undefined ? "" : formatIp(mapping.hostIp),
          ...natFlags(family, localRoutedVip ? NAT_LOCAL_ROUTED_VIP : 0),
        },
      }),
    ),
  );
}

/**
 * Rules that let traffic to mapped ports in, for pods whose other rules block what nobody allows; each port of the pod once. The rule is
 * about the pod's own port, since it is looked at after the translation.
 */
export function buildPortMappingAcls(mappings: readonly PortMapping[]): PolicyDocument[] {
  const ports = new Map(mappings.map(({ protocol, containerPort }) => [`${protocol}/${containerPort}`, { protocol, containerPort }]));
  return [...ports.values()].map(({ protocol, containerPort }) =>
    buildAcl({
      action: "Allow",
      direction: "In",
      protocols: [protocol],
      localPorts: [{ first: containerPort, last: containerPort }],
      priority: ACL_PRIORITY.portMapping,
    }),
  );
}
