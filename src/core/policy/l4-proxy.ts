import { formatCidr, type Cidr, formatIp, type IpAddress } from "../base/ip.ts";
import type { PolicyDocument } from "../hcn/documents.ts";
import type { PortRange } from "./acl.ts";
import { PROTOCOL_NUMBERS } from "./protocols.ts";

export interface L4Proxy {
  /** The proxy. */
  readonly ip: IpAddress;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  /** What goes to the proxy; absent means everything of the protocol. */
  readonly destination?: Cidr;
  /** `address:port` or addresses that are let past the proxy. */
  readonly exceptions?: readonly string[];
  /** The proxy sees the node's address, not the pod's. */
  readonly outboundNat?: boolean;
}

/**
 * Sends the pod's traffic to a proxy, in the virtual switch (VFP). Needs L4Proxy of HNS: 9.5-9.x, 10.5-10.x, 11.11-11.x, 12.1-12.x, 13.1 on.
 * Source: `{"Type":"L4Proxy","Settings":{"IP":..,"Port":"..","Protocol":6,"Exceptions":[..],"Destination":..,"OutboundNAT":true}}` as
 * hcsshim writes it; Microsoft's published schema calls the exceptions ExceptionList.
 */
export function buildL4Proxy(proxy: L4Proxy): PolicyDocument {
  return {
    Type: "L4Proxy",
    Settings: {
      IP: formatIp(proxy.ip),
      Port: String(proxy.port),
      Protocol: PROTOCOL_NUMBERS[proxy.protocol],
      ...(proxy.exceptions !== undefined && proxy.exceptions.length > 0 && { Exceptions: [...proxy.exceptions] }),
      Destination: proxy.destination === undefined ? "" : formatCidr(proxy.destination),
      ...(proxy.outboundNat === true && { OutboundNAT: true }),
    },
  };
}

export interface L4WfpProxy {
  /** Ports of the proxy inside the pod; at least one. */
  readonly inboundPort?: number;
  readonly outboundPort?: number;
  /** The account the proxy runs as, whose own traffic is not redirected: `S-1-5-32-556`. */
  readonly userSid: string;
  readonly protocols?: readonly ("tcp" | "udp")[];
  readonly inboundExceptions?: ProxyExceptions;
  readonly outboundExceptions?: ProxyExceptions;
}

export interface ProxyExceptions {
  readonly addresses?: readonly IpAddress[];
  readonly ports?: readonly PortRange[];
}

/**
 * Redirects traffic to a proxy inside the pod, in the pod's compartment (WFP), as service meshes with a sidecar want it. Needs HNS 13.2.
 * Source: `{"Type":"L4WFPPROXY","Settings":{"InboundProxyPort":"15003","OutboundProxyPort":"15001","UserSID":..,"FilterTuple":{"Protocols":"6"}}}`
 * of the HCN schema.
 */
export function buildL4WfpProxy(proxy: L4WfpProxy): PolicyDocument {
  const protocols = (proxy.protocols ?? ["tcp"]).map((name) => PROTOCOL_NUMBERS[name]);
  return {
    Type: "L4WFPPROXY",
    Settings: {
      ...(proxy.inboundPort !== undefined && { InboundProxyPort: String(proxy.inboundPort) }),
      ...(proxy.outboundPort !== undefined && { OutboundProxyPort: String(proxy.outboundPort) }),
      UserSID: proxy.userSid,
      FilterTuple: { Protocols: protocols.join(",") },
      ...exceptionsOf("InboundExceptions", proxy.inboundExceptions),
      ...exceptionsOf("OutboundExceptions", proxy.outboundExceptions),
    },
  };
}

function exceptionsOf(field: string, exceptions: ProxyExceptions | undefined): Record<string, object> {
  const { addresses = [], ports = [] } = exceptions ?? {};
  if (addresses.length === 0 && ports.length === 0) return {};
  return {
    [field]: {
      ...(addresses.length > 0 && { IpAddressExceptions: addresses.map(formatIp) }),
      ...(ports.length > 0 && { PortExceptions: ports.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`)) }),
    },
  };
}
