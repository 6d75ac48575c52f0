/** In which fields a pod's endpoint and result differ when our program takes a reference plugin's place, and why; docs/drop-in.md shows it. */
import { PLUGIN_KEYS } from "../../src/core/config/generated/plugin-shape.ts";
import { DROP_IN_CONFS, POLICY_CONFS, type DropInConf } from "./drop-in-confs.ts";

export const ABSENT = "absent";

export interface FieldDifference {
  readonly field: string;
  readonly theirs: string;
  readonly ours: string;
}

export interface ExpectedDifference extends FieldDifference {
  readonly why: string;
  /** Titles of the configurations that show it. */
  readonly confs: readonly string[];
}

/** Why configurations with `policies` cannot be run with ours; undefined when they can. */
export function policiesReason(): string | undefined {
  return (PLUGIN_KEYS[""] ?? []).includes("policies") ? undefined : "this version has no policies key";
}

/** The configurations that this version reads to their last key. */
export function listConfs(): readonly DropInConf[] {
  return policiesReason() === undefined ? [...DROP_IN_CONFS, ...POLICY_CONFS] : DROP_IN_CONFS;
}

/** What must differ for one configuration: this, and nothing else. */
export function expectedDifferences({ title }: DropInConf): FieldDifference[] {
  const own = DIFFERENCES.filter(({ confs }) => confs.includes(title));
  return own.map(({ field, theirs, ours }) => ({ field, theirs, ours })).sort((left, right) => (left.field < right.field ? -1 : 1));
}

/** Titles of the configurations of a kind. */
function titles(isWanted: (conf: DropInConf) => boolean = () => true): string[] {
  return [...DROP_IN_CONFS, ...POLICY_CONFS].filter(isWanted).map(({ title }) => title);
}

const bridges = titles(({ plugin }) => plugin === "win-bridge");
const overlays = titles(({ plugin }) => plugin === "win-overlay");
const flannelBridges = titles(({ title }) => title.startsWith("flannel host-gw"));
const flannelOverlays = titles(({ title }) => title.startsWith("flannel vxlan"));

const HOST_PORT = '{"InternalPort":80,"ExternalPort":8080,"Protocol":6,"VIP":""}';
const SELF = "a pod reaches itself through a service unless loopbackDSR is false; the reference plugin needs it set to true";
const ROUTES = "the routes of the IPAM plugin are the pod's, by its gateway; the reference plugin drops them";
const ORDER_PA = "one order for all modes; HNS is not known to read a meaning into it";
const ORDER_SELF = "the policy by which a pod reaches itself";
const ORDER_USER = "the configuration's policies come last, but exceptions of NAT are one policy with ours and first";
const RESULT_ROUTES = "the specification wants the pod's routes in the result";

export const DIFFERENCES: readonly ExpectedDifference[] = [
  ...["endpoint.Dns.Options[0]", "result.dns.options[0]"].map((field) => ({
    field,
    theirs: ABSENT,
    ours: "ndots:5",
    why: "the runtime's resolver options are used, not dropped",
    confs: titles(),
  })),
  {
    field: "endpoint.HostComputeNamespace",
    theirs: "00000000-0000-0000-0000-000000000000",
    ours: "{namespace}",
    why: "always HNS v2: without apiVersion 2 the reference plugins cannot serve containerd's namespaces",
    confs: titles(({ apiVersion }) => apiVersion === 1),
  },
  {
    field: "endpoint.Policies PortMapping",
    theirs: '{"InternalPort":80,"ExternalPort":8080,"Protocol":6}',
    ours: HOST_PORT,
    why: "the v2 spelling of the same",
    confs: titles(({ plugin, apiVersion }) => plugin === "win-bridge" && apiVersion === 1),
  },
  {
    field: "endpoint.Policies PortMapping",
    theirs: ABSENT,
    ours: HOST_PORT,
    why: "host ports are mapped; win-overlay drops them without a word",
    confs: flannelOverlays,
  },
  {
    field: "endpoint.Policies OutBoundNAT",
    theirs: '{"Exceptions":["10.244.0.0/16"]}',
    ours: '{"Destinations":["10.244.3.3"]} and {"Exceptions":["10.244.0.0/16"]}',
    why: "optionalFlags.loopbackDSR is read; win-bridge knows no optionalFlags",
    confs: ["win-bridge with optionalFlags"],
  },
  {
    field: "endpoint.Policies (order)",
    theirs: "OutBoundNAT, PortMapping",
    ours: "OutBoundNAT, PortMapping, OutBoundNAT",
    why: ORDER_SELF,
    confs: ["win-bridge with optionalFlags"],
  },
  {
    field: "endpoint.Policies (order)",
    theirs: "OutBoundNAT, ProviderAddress, OutBoundNAT",
    ours: "OutBoundNAT, OutBoundNAT, ProviderAddress",
    why: ORDER_PA,
    confs: ["win-overlay"],
  },
  {
    field: "endpoint.Policies (order)",
    theirs: "ProviderAddress, OutBoundNAT, OutBoundNAT",
    ours: "OutBoundNAT, OutBoundNAT, ProviderAddress",
    why: ORDER_PA,
    confs: ["win-overlay by HNS v1"],
  },
  {
    field: "endpoint.Policies OutBoundNAT",
    theirs: ABSENT,
    ours: '{"Destinations":["10.244.3.3"]}',
    why: SELF,
    confs: ["flannel host-gw"],
  },
  { field: "endpoint.Policies (order)", theirs: "none", ours: "OutBoundNAT", why: ORDER_SELF, confs: ["flannel host-gw"] },
  {
    field: "endpoint.Policies OutBoundNAT",
    theirs: '{"Exceptions":["10.244.3.0/24"]}',
    ours: '{"Destinations":["10.244.3.2"]} and {"Exceptions":["10.244.3.0/24"]}',
    why: SELF,
    confs: ["flannel vxlan"],
  },
  {
    field: "endpoint.Policies (order)",
    theirs: "ProviderAddress, OutBoundNAT",
    ours: "OutBoundNAT, PortMapping, OutBoundNAT, ProviderAddress",
    why: `${ORDER_SELF}, the host port, and one order for all modes`,
    confs: ["flannel vxlan"],
  },
  {
    field: "endpoint.Policies (order)",
    theirs: "OutBoundNAT, SDNRoute, PortMapping, OutBoundNAT",
    ours: "OutBoundNAT, PortMapping, OutBoundNAT, SDNRoute",
    why: ORDER_USER,
    confs: ["win-bridge with policies", "win-bridge by HNS v1 with policies"],
  },
  {
    field: "endpoint.Policies OutBoundNAT",
    theirs: '{"Exceptions":["10.244.0.0/16","10.96.0.0/12"]}',
    ours: '{"Destinations":["10.244.3.3"]} and {"Exceptions":["10.244.0.0/16","10.96.0.0/12"]}',
    why: SELF,
    confs: ["flannel host-gw with policies"],
  },
  {
    field: "endpoint.Policies (order)",
    theirs: "OutBoundNAT, SDNRoute",
    ours: "OutBoundNAT, OutBoundNAT, SDNRoute",
    why: `${ORDER_USER}; and ${ORDER_SELF}`,
    confs: ["flannel host-gw with policies"],
  },
  {
    field: "endpoint.Policies OutBoundNAT",
    theirs: '{"Exceptions":["10.244.0.0/16","10.96.0.0/12"]}',
    ours: '{"Destinations":["10.244.3.2"]} and {"Exceptions":["10.244.0.0/16","10.96.0.0/12"]}',
    why: SELF,
    confs: ["flannel vxlan with policies"],
  },
  {
    field: "endpoint.Policies (order)",
    theirs: "OutBoundNAT, SDNRoute, ProviderAddress",
    ours: "OutBoundNAT, PortMapping, OutBoundNAT, ProviderAddress, SDNRoute",
    why: `${ORDER_USER}; ${ORDER_SELF}, and the host port`,
    confs: ["flannel vxlan with policies"],
  },
  ...["endpoint.Routes[1].DestinationPrefix", "result.routes[1].dst"].map((field) => ({
    field,
    theirs: ABSENT,
    ours: "10.244.0.0/16",
    why: ROUTES,
    confs: [...flannelBridges, ...flannelOverlays],
  })),
  ...["endpoint.Routes[1].NextHop", "result.routes[1].gw"].flatMap((field) => [
    { field, theirs: ABSENT, ours: "10.244.3.2", why: ROUTES, confs: flannelBridges },
    { field, theirs: ABSENT, ours: "10.244.3.1", why: ROUTES, confs: flannelOverlays },
  ]),
  { field: "result.interfaces[0].mac", theirs: "{MAC}", ours: "{mac:with:colons}", why: "the specification's spelling", confs: titles() },
  {
    field: "result.interfaces[0].name",
    theirs: "{endpoint's name}",
    ours: "eth0",
    why: "the specification wants CNI_IFNAME",
    confs: titles(),
  },
  {
    field: "result.interfaces[0].sandbox",
    theirs: ABSENT,
    ours: "{namespace}",
    why: "the specification wants it for interfaces of the pod",
    confs: titles(),
  },
  { field: "result.ips[0].interface", theirs: ABSENT, ours: "0", why: "so that the runtime knows whose address it is", confs: titles() },
  { field: "result.routes[0].dst", theirs: ABSENT, ours: "0.0.0.0/0", why: RESULT_ROUTES, confs: titles() },
  { field: "result.routes[0].gw", theirs: ABSENT, ours: "10.244.3.2", why: RESULT_ROUTES, confs: bridges },
  { field: "result.routes[0].gw", theirs: ABSENT, ours: "10.244.3.1", why: RESULT_ROUTES, confs: overlays },
];
