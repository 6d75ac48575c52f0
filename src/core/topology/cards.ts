import { containsIp, findCidr, findIp } from "../base/ip.ts";
import type { PolicyView } from "../hcn/documents-detail.ts";
import type { Topology, TopologyEndpoint, TopologyNetwork } from "./model.ts";
import type { Owner } from "./ownership.ts";
import { countOf, countPolicies, formatPlace, formatRoute, shortenIds } from "./text.ts";

/** A line of text in the picture; `title` is what a reader sees who points at it. */
export interface Line {
  readonly text: string;
  readonly title?: string;
}

/** What one box of the picture says. The first line is its name. */
export interface Card {
  readonly kind: "endpoint" | "host" | "hop" | "list";
  readonly owner: Owner;
  readonly lines: readonly Line[];
}

/** A card that routes lead to, by the addresses under which they do. */
export interface HopCard extends Card {
  readonly addresses: readonly string[];
}

/** Policies of one endpoint whose settings are told; `-o json` has all. */
const TOLD_POLICIES = 20;

export function buildEndpointCard(endpoint: TopologyEndpoint): Card {
  const { name, owner, pod, attached, mac, addresses, namespace, routes, policies } = endpoint;
  const isHost = attached === "host";
  const place =
    attached === "namespace" ? { text: `ns ${namespace ?? ""}`, title: formatPlace(endpoint) } : { text: formatPlace(endpoint) };
  const container = pod === undefined ? "" : `\ncontainer ${pod.containerId}\ninterface ${pod.ifname}`;
  return {
    kind: isHost ? "host" : "endpoint",
    owner,
    lines: [
      { text: name === "" ? "(no name)" : shortenIds(name), title: `${name}\nendpoint ${endpoint.id}\nowner: ${owner}${container}` },
      listLine(addresses, "no address"),
      { text: mac ?? "no MAC" },
      place,
      ...(policies.length === 0 ? [] : [{ text: countPolicies(policies), title: tellPolicies(policies) }]),
      ...(routes.length === 0 ? [] : [listLine(routes.map(formatRoute), "")]),
    ],
  };
}

/** What routes can lead to: the subnets' gateways, the host endpoints, and next hops that are neither. */
export function buildHops(network: TopologyNetwork): HopCard[] {
  const uses = countUses(network);
  const gateways = network.subnets.flatMap(({ gateway, prefix }) =>
    gateway === undefined ? [] : [buildHop(gateway, "gateway", `of the subnet ${prefix}`)],
  );
  const hosts = network.endpoints
    .filter(({ attached }) => attached === "host")
    .map((endpoint) => ({ ...buildEndpointCard(endpoint), addresses: endpoint.addresses.map(withoutPrefix) }));
  const known = new Set([...gateways, ...hosts].flatMap(({ addresses }) => addresses));
  const others = [...uses.keys()].filter((hop) => !known.has(hop)).map((hop) => buildHop(hop, "next hop", placeHop(network, hop)));
  return [...gateways, ...hosts, ...others].map((card) => {
    const routes = card.addresses.reduce((sum, address) => sum + (uses.get(address) ?? 0), 0);
    return routes === 0 ? card : { ...card, lines: [...card.lines, { text: `next hop of ${countOf(routes, "route")}` }] };
  });
}

function buildHop(address: string, kind: string, where: string): HopCard {
  return { kind: "hop", owner: "unknown", addresses: [address], lines: [{ text: `${kind} ${address}` }, { text: where }] };
}

/** Where a next hop is that is neither a gateway nor the node. */
function placeHop({ endpoints, subnets }: TopologyNetwork, hop: string): string {
  const holder = endpoints.find(({ addresses }) => addresses.some((address) => withoutPrefix(address) === hop));
  if (holder !== undefined) return `the endpoint ${shortenIds(holder.name)}`;
  const ip = findIp(hop);
  const isInside = subnets.some(({ prefix }) => {
    const cidr = findCidr(prefix);
    return cidr !== undefined && ip !== undefined && containsIp(cidr, ip);
  });
  return isInside ? "no endpoint has this address" : "outside of this network";
}

function withoutPrefix(address: string): string {
  return address.replace(/\/.*/, "");
}

/** How many routes of the network's endpoints lead to each next hop, in the order of their first ones. */
function countUses({ endpoints }: TopologyNetwork): Map<string, number> {
  const uses = new Map<string, number>();
  for (const { nextHop } of endpoints.flatMap(({ routes }) => routes)) {
    if (nextHop !== "") uses.set(nextHop, (uses.get(nextHop) ?? 0) + 1);
  }
  return uses;
}

/** What there is beside the networks, each with its heading. */
export function buildLists(topology: Topology): { heading: string; cards: Card[] }[] {
  const list = (name: string, lines: readonly Line[]): Card => ({ kind: "list", owner: "unknown", lines: [{ text: name }, ...lines] });
  const lists = [
    { heading: "endpoints of networks that HNS does not have", cards: topology.strays.map(buildEndpointCard) },
    {
      heading: "namespaces without endpoints",
      cards: topology.namespaces
        .filter(({ endpoints }) => endpoints.length === 0)
        .map(({ id, type, compartment }) =>
          list(`${type} namespace`, [{ text: id }, ...(compartment === undefined ? [] : [{ text: `compartment ${compartment}` }])]),
        ),
    },
    {
      heading: "load balancers",
      cards: topology.loadBalancers.map(({ id, vips, ports, endpoints }) => {
        const mappings = ports.map(({ protocol, external, internal }) => `${external}/${protocol} → ${internal}`);
        return list(vips.join(", ") || "every address of the node", [
          listLine(mappings, "no ports"),
          { text: `to ${countOf(endpoints.length, "endpoint")}`, title: endpoints.join("\n") },
          { text: id },
        ]);
      }),
    },
    {
      heading: "routes of HNS",
      cards: topology.sdnRoutes.map(({ id, routes, endpoints }) => {
        const [first = "no route", ...rest] = routes.map(({ destination, nextHop }) =>
          formatRoute({ destination, nextHop: nextHop ?? "" }),
        );
        return list(first, [
          ...(rest.length === 0 ? [] : [listLine(rest, "")]),
          { text: `of ${countOf(endpoints.length, "endpoint")}`, title: endpoints.join("\n") },
          { text: id },
        ]);
      }),
    },
  ];
  return lists.filter(({ cards }) => cards.length > 0);
}

/** Each policy with its settings, a line each. */
export function tellPolicies(policies: readonly PolicyView[]): string {
  const told = policies.slice(0, TOLD_POLICIES).map(({ type, settings }) => `${type} ${JSON.stringify(settings)}`);
  const left = policies.length - told.length;
  return [...told, ...(left === 0 ? [] : [`and ${left} more`])].join("\n");
}

/** The first, and how many more there are; all of them for who points at it. */
function listLine(texts: readonly string[], none: string): Line {
  const [first, ...rest] = texts;
  if (first === undefined) return { text: none };
  return rest.length === 0 ? { text: first } : { text: `${first} +${rest.length}`, title: texts.join("\n") };
}
