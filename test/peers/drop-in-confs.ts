/**
 * Configurations as the documentation of win-bridge and win-overlay shows them, and as flannel hands them on to its delegate on nodes set up by
 * sig-windows' guides (host-gw and vxlan). Each is run with the plugin that it is for and with ours, where `type` alone differs.
 */
import type { RivalName } from "./rival.ts";

export const POD_SUBNET = "10.244.3.0/24";

export interface DropInConf {
  /** How the documentation's table calls it. */
  readonly title: string;
  readonly plugin: RivalName;
  /** By which interface of HNS the reference plugin goes: 1 has no namespaces, so its pod is a container of the older kind. */
  readonly apiVersion: 1 | 2;
  readonly cniVersion: string;
  /** The HNS network of this name, made by flannel or an administrator. */
  readonly network: string;
  /** The plugin object, without `type`. */
  readonly conf: Readonly<Record<string, unknown>>;
  /** What the runtime has for the capabilities that the plugin object declares. */
  readonly capabilities: Readonly<Record<string, unknown>>;
}

const DNS = { nameservers: ["10.96.0.10"], search: ["svc.cluster.local", "cluster.local"] };
const POD_DNS = { servers: ["10.96.0.11"], searches: ["shop.svc.cluster.local", "svc.cluster.local"], options: ["ndots:5"] };
const PORTS = [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }];
/** .1 is HNS's and .2 the node's own on an l2bridge network, so the documented ranges begin at .3. */
const HOST_LOCAL = { type: "host-local", subnet: POD_SUBNET, rangeStart: "10.244.3.3" };
/** What flannel makes of subnet.env, without a start. */
const FLANNEL_IPAM = { type: "host-local", ranges: [[{ subnet: POD_SUBNET }]], routes: [{ dst: "10.244.0.0/16" }] };

const bridge = {
  plugin: "win-bridge",
  cniVersion: "1.0.0",
  network: "cbr0",
  conf: {
    ipMasqNetwork: "10.244.0.0/16",
    dns: DNS,
    loopbackDSR: true,
    capabilities: { dns: true, portMappings: true },
    ipam: HOST_LOCAL,
  },
  capabilities: { dns: POD_DNS, portMappings: PORTS },
} as const;

const overlay = {
  plugin: "win-overlay",
  cniVersion: "1.0.0",
  network: "vxlan0",
  conf: { ipMasq: true, endpointMacPrefix: "0E-2A", dns: DNS, loopbackDSR: true, capabilities: { dns: true }, ipam: HOST_LOCAL },
  capabilities: { dns: POD_DNS },
} as const;

const hostGw = {
  plugin: "win-bridge",
  apiVersion: 2,
  cniVersion: "0.3.0",
  network: "cbr0",
  conf: { apiVersion: 2, capabilities: { dns: true }, ipam: FLANNEL_IPAM },
  capabilities: { dns: POD_DNS },
} as const;

const vxlan = {
  plugin: "win-overlay",
  apiVersion: 2,
  cniVersion: "0.3.0",
  network: "flannel.4096",
  conf: { apiVersion: 2, ipMasq: true, capabilities: { dns: true, portMappings: true }, ipam: FLANNEL_IPAM },
  capabilities: { dns: POD_DNS, portMappings: PORTS },
} as const;

const NAT_V1 = { Type: "OutBoundNAT", ExceptionList: ["10.244.0.0/16", "10.96.0.0/12"] };
const NAT_V2 = { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16", "10.96.0.0/12"] } };
const ROUTE_V1 = { Type: "ROUTE", DestinationPrefix: "10.96.0.0/12", NeedEncap: true };
const ROUTE_V2 = { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NeedEncap: true } };

export const DROP_IN_CONFS: readonly DropInConf[] = [
  { ...bridge, title: "win-bridge", apiVersion: 2, conf: { ...bridge.conf, apiVersion: 2 } },
  { ...bridge, title: "win-bridge by HNS v1", apiVersion: 1 },
  {
    ...bridge,
    title: "win-bridge with optionalFlags",
    apiVersion: 2,
    conf: { ...bridge.conf, apiVersion: 2, loopbackDSR: false, optionalFlags: { loopbackDSR: true, forceBridgeGateway: true } },
  },
  // As older documentation has it beside `policies`; neither plugin reads it any more.
  { ...bridge, title: "win-bridge with HcnPolicyArgs", apiVersion: 2, conf: { ...bridge.conf, apiVersion: 2, HcnPolicyArgs: [ROUTE_V2] } },
  { ...overlay, title: "win-overlay", apiVersion: 2, conf: { ...overlay.conf, apiVersion: 2 } },
  { ...overlay, title: "win-overlay by HNS v1", apiVersion: 1 },
  { ...hostGw, title: "flannel host-gw" },
  { ...vxlan, title: "flannel vxlan" },
];

function policies(...values: object[]): { policies: object[] } {
  return { policies: values.map((value) => ({ name: "EndpointPolicy", value })) };
}

/** The same with `policies`, which the plugin must know: where it does not, these say nothing about a replacement. */
export const POLICY_CONFS: readonly DropInConf[] = [
  {
    ...bridge,
    title: "win-bridge with policies",
    apiVersion: 2,
    conf: { ...bridge.conf, apiVersion: 2, ipMasqNetwork: "", ...policies(NAT_V2, ROUTE_V2) },
  },
  {
    ...bridge,
    title: "win-bridge by HNS v1 with policies",
    apiVersion: 1,
    conf: { ...bridge.conf, ipMasqNetwork: "", ...policies(NAT_V1, ROUTE_V1) },
  },
  { ...hostGw, title: "flannel host-gw with policies", conf: { ...hostGw.conf, ...policies(NAT_V2, ROUTE_V2) } },
  { ...vxlan, title: "flannel vxlan with policies", conf: { ...vxlan.conf, ipMasq: false, ...policies(NAT_V2, ROUTE_V2) } },
];
