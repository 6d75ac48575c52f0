import { formatIp } from "../base/ip.ts";
import type { PortMapping, Protocol } from "../config/plugin-config.ts";
import type { PolicyDocument } from "../hcn/documents.ts";

/** IANA protocol numbers, as HNS wants them. */
const PROTOCOL_NUMBERS: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17, sctp: 132 };

/**
 * Makes ports of the pod reachable on the node. `VIP` is "" when every address of the node listens.
 * Source: `{"Type":"PortMapping","Settings":{"InternalPort":80,"ExternalPort":8080,"Protocol":6,"VIP":""}}` of the HCN schema.
 */
export function buildPortMappings(mappings: readonly PortMapping[]): PolicyDocument[] {
  return mappings.map((mapping) => ({
    Type: "PortMapping",
    Settings: {
      InternalPort: mapping.containerPort,
      ExternalPort: mapping.hostPort,
      Protocol: PROTOCOL_NUMBERS[mapping.protocol],
      VIP: mapping.hostIp === undefined ? "" : formatIp(mapping.hostIp),
    },
  }));
}
