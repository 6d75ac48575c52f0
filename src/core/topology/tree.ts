import type { NamespaceView } from "../hcn/documents-detail.ts";
import type { Topology, TopologyEndpoint, TopologyNetwork } from "./model.ts";
import type { Owner } from "./ownership.ts";
import { cleanText, countOf, countPolicies, describeSubnet, fitText, formatPlace, formatRoute, plainText, shortenIds } from "./text.ts";

export interface TreeStyle {
  /** ascii: nothing beyond it is written, whatever names hold. */
  readonly charset: "utf8" | "ascii";
  readonly hasColours: boolean;
}

interface Branch {
  readonly text: string;
  readonly below?: readonly Branch[];
}

const LINES = {
  utf8: { fork: "├─ ", last: "└─ ", pass: "│  ", empty: "   " },
  ascii: { fork: "|- ", last: "`- ", pass: "|  ", empty: "   " },
} as const;

/** Longer names are cut; `-o json` has them whole. */
const NAME_COLUMNS = 60;

const COLOURS = { bold: 1, dim: 2, green: 32, yellow: 33, cyan: 36 } as const;
type Colour = keyof typeof COLOURS;
type Paint = (colour: Colour, text: string) => string;

/** The topology as lines for a terminal, the last with its end of line. */
export function renderTree(topology: Topology, style: TreeStyle): string {
  const paint: Paint = (colour, text) => (style.hasColours ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text);
  const root = buildTree(topology, paint);
  const text = [root.text, ...drawBelow(root, LINES[style.charset], "")].join("\n");
  return `${style.charset === "ascii" ? toAscii(text) : text}\n`;
}

function drawBelow({ below = [] }: Branch, lines: (typeof LINES)[keyof typeof LINES], indent: string): string[] {
  return below.flatMap((branch, index) => {
    const isLast = index === below.length - 1;
    const inner = `${indent}${isLast ? lines.empty : lines.pass}`;
    return [`${indent}${isLast ? lines.last : lines.fork}${branch.text}`, ...drawBelow(branch, lines, inner)];
  });
}

/** Any other character than arrows and ellipses becomes a question mark. */
function toAscii(text: string): string {
  return plainText(text).replaceAll(/\P{ASCII}/gu, "?");
}

function buildTree(topology: Topology, paint: Paint): Branch {
  const { networks, strays, namespaces } = topology;
  const endpoints = networks.reduce((sum, network) => sum + network.endpoints.length, strays.length);
  const counts = [countOf(networks.length, "network"), countOf(endpoints, "endpoint"), countOf(namespaces.length, "namespace")];
  return {
    text: paint("bold", `node: ${counts.join(", ")}`),
    below: [
      ...networks.map((network) => describeNetwork(network, paint)),
      ...section(
        "endpoints of networks that HNS does not have",
        strays.map((endpoint) => describeEndpoint(endpoint, paint)),
      ),
      ...section(
        "namespaces without endpoints",
        namespaces.filter(({ endpoints: members }) => members.length === 0).map(describeNamespace),
      ),
      ...section("load balancers", describeLoadBalancers(topology)),
      ...section("routes of HNS", describeSdnRoutes(topology)),
      ...section(
        "remarks",
        topology.warnings.map((warning) => ({ text: paint("yellow", cleanText(warning)) })),
      ),
    ],
  };
}

/** Nothing at all when there is nothing below. */
function section(text: string, below: readonly Branch[]): Branch[] {
  return below.length === 0 ? [] : [{ text, below }];
}

function describeNetwork(network: TopologyNetwork, paint: Paint): Branch {
  const { id, name, type, adapter, owner, subnets, policies, endpoints } = network;
  const place = adapter === undefined ? type : `${type} on ${adapter}`;
  return {
    text: `network ${paint("bold", showName(name))}  ${cleanText(place)}${showOwner(owner, paint)}`,
    below: [
      { text: paint("dim", `id ${id}`) },
      ...subnets.map((subnet) => ({ text: cleanText(`subnet ${describeSubnet(subnet).join("  ")}`) })),
      ...(policies.length === 0 ? [] : [{ text: cleanText(`policies ${countPolicies(policies)}`) }]),
      ...endpoints.map((endpoint) => describeEndpoint(endpoint, paint)),
    ],
  };
}

function describeEndpoint(endpoint: TopologyEndpoint, paint: Paint): Branch {
  const { name, attached, addresses, mac, owner, routes, policies } = endpoint;
  const kind = attached === "host" ? "host endpoint" : "endpoint";
  const facts = [addresses.map(cleanText).join(", ") || "no address", mac ?? "no MAC"];
  return {
    text: `${kind} ${paint("cyan", showName(name))}  ${facts.join("  ")}${showOwner(owner, paint)}`,
    below: [
      ...(attached === "host" ? [] : [{ text: paint("dim", cleanText(formatPlace(endpoint))) }]),
      ...(policies.length === 0 ? [] : [{ text: cleanText(`policies ${countPolicies(policies)}`) }]),
      ...routes.map((route) => ({ text: cleanText(`route ${formatRoute(route)}`) })),
    ],
  };
}

function describeNamespace({ id, compartment, type, containers }: NamespaceView): Branch {
  const where = compartment === undefined ? "" : `  compartment ${compartment}`;
  const used = containers.length === 0 ? "" : `  ${countOf(containers.length, "container")}`;
  return { text: cleanText(`${id}  ${type}${where}${used}`) };
}

function describeLoadBalancers({ loadBalancers }: Topology): Branch[] {
  return loadBalancers.map(({ vips, ports, endpoints }) => {
    const mappings = ports.map(({ protocol, external, internal }) => `${external}/${protocol} → ${internal}`);
    const text = `${vips.join(", ") || "every address of the node"}  ${mappings.join(", ")}  ${countOf(endpoints.length, "endpoint")}`;
    return { text: cleanText(text) };
  });
}

function describeSdnRoutes({ sdnRoutes }: Topology): Branch[] {
  return sdnRoutes.flatMap(({ routes, endpoints }) =>
    routes.map(({ destination, nextHop, needEncap }) => {
      const route = formatRoute({ destination, nextHop: nextHop ?? "" });
      return { text: cleanText(`${route}${needEncap ? "  encapsulated" : ""}  ${countOf(endpoints.length, "endpoint")}`) };
    }),
  );
}

function showName(name: string): string {
  return name === "" ? "(no name)" : fitText(shortenIds(cleanText(name)), NAME_COLUMNS);
}

const OWNER_COLOURS: Readonly<Record<Owner, Colour>> = { ours: "green", adopted: "cyan", foreign: "yellow", unknown: "dim" };

/** Where nobody knows, nothing is said. */
function showOwner(owner: Owner, paint: Paint): string {
  return owner === "unknown" ? "" : `  ${paint(OWNER_COLOURS[owner], `[${owner}]`)}`;
}
