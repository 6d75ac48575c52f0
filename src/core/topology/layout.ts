import { buildEndpointCard, buildHops, buildLists, type Card, type HopCard, type Line, tellPolicies } from "./cards.ts";
import type { Topology, TopologyEndpoint, TopologyNetwork } from "./model.ts";
import type { Owner } from "./ownership.ts";
import { countPolicies, formatRoute, describeSubnet } from "./text.ts";

/** Lengths in the picture's units, which are pixels at its own size. */
export const CARD_WIDTH = 316;
export const LINE_HEIGHT = 17;
export const PANEL_TOP = 34;
const MARGIN = 20;
const PAD = 16;
const CARD_PAD = 20;
const ROW_GAP = 14;
const HEAD = 84;
/** Between one route line and the next. */
const LANE = 7;
const GUTTER = 22;
const MAX_COLUMNS = 6;
/** Next hops of a network that get lines; routes to further ones are text alone. */
const MAX_LANES = 6;

export interface PlacedCard extends Card {
  readonly x: number;
  readonly y: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The lines of all routes to one next hop: each from an endpoint to the trunk, the trunk, and from there to the hop. */
export interface Lane {
  readonly index: number;
  readonly hop: string;
  readonly sources: readonly { readonly points: readonly Point[]; readonly title: string }[];
  readonly trunk: readonly Point[];
  /** Ends at the hop's card. */
  readonly target: readonly Point[];
}

export interface Panel {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly owner: Owner | undefined;
  /** The first is its heading. */
  readonly lines: readonly Line[];
  readonly cards: readonly PlacedCard[];
  readonly lanes: readonly Lane[];
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly panels: readonly Panel[];
}

interface Grid {
  readonly columns: number;
  /** The space left of each column of cards, where lines run. */
  readonly gutter: number;
  readonly width: number;
}

/** Where everything is. Networks lie one under the other, their endpoints in as many columns as the largest of them wants. */
export function layOut(topology: Topology): Picture {
  const lists = buildLists(topology);
  const largest = Math.max(0, ...topology.networks.map(({ endpoints }) => endpoints.length), ...lists.map(({ cards }) => cards.length));
  const columns = Math.min(MAX_COLUMNS, Math.max(2, Math.ceil(Math.sqrt(largest * 1.5))));
  const lanes = Math.max(0, ...topology.networks.map((network) => chooseHops(network).length));
  const gutter = GUTTER + lanes * LANE;
  const grid = { columns, gutter, width: columns * (gutter + CARD_WIDTH) + 2 * PAD };
  const panels: Panel[] = [];
  let y = HEAD;
  const add = (panel: Panel): void => {
    panels.push(panel);
    y += panel.height + MARGIN;
  };
  for (const network of topology.networks) add(layOutNetwork(network, grid, y));
  for (const { heading, cards } of lists) add(layOutList({ heading, cards }, grid, y));
  return { width: grid.width + 2 * MARGIN, height: y, panels };
}

function layOutNetwork(network: TopologyNetwork, grid: Grid, y: number): Panel {
  const lines = describeHead(network);
  const hops = buildHops(network);
  const hopTop = y + PANEL_TOP + lines.length * LINE_HEIGHT;
  const { placed: placedHops, bottom: trunkTop } = placeCards(hops, grid, hopTop);
  const wanted = chooseHops(network);
  const top = trunkTop + (wanted.length === 0 ? 0 : wanted.length * LANE + 14);
  const others = network.endpoints.filter(({ attached }) => attached !== "host");
  const hosts = network.endpoints.filter(({ attached }) => attached === "host");
  const { placed, bottom } = placeCards(others.map(buildEndpointCard), grid, top);
  const seats = [...pair(others, placed), ...pair(hosts, placedHops.slice(network.subnets.filter(({ gateway }) => gateway).length))];
  const lanes = wanted.flatMap((hop, index) => {
    const card = findHop(hops, placedHops, hop);
    return card === undefined ? [] : [drawLane({ index, hop, card, trunk: trunkTop + index * LANE }, seats)];
  });
  return {
    x: MARGIN,
    y,
    width: grid.width,
    height: bottom - y + 4,
    owner: network.owner,
    lines,
    cards: [...placedHops, ...placed],
    lanes,
  };
}

function layOutList({ heading, cards }: { heading: string; cards: readonly Card[] }, grid: Grid, y: number): Panel {
  const lines = [{ text: heading }];
  const { placed, bottom } = placeCards(cards, grid, y + PANEL_TOP + LINE_HEIGHT);
  return { x: MARGIN, y, width: grid.width, height: bottom - y + 4, owner: undefined, lines, cards: placed, lanes: [] };
}

function describeHead(network: TopologyNetwork): Line[] {
  const { id, name, type, adapter, owner, subnets, policies } = network;
  return [
    { text: name === "" ? "(no name)" : name, title: `${name}\nnetwork ${id}\nowner: ${owner}` },
    { text: `${adapter === undefined ? type : `${type} on ${adapter}`} · ${id}` },
    ...subnets.map((subnet) => ({ text: `subnet ${describeSubnet(subnet).join(" · ")}`, title: tellPolicies(subnet.policies) })),
    ...(policies.length === 0 ? [] : [{ text: `policies ${countPolicies(policies)}`, title: tellPolicies(policies) }]),
  ];
}

/** Cards in rows, all as high as the one with the most lines, and where the next thing below them can begin. */
function placeCards(cards: readonly Card[], { columns, gutter }: Grid, top: number): { placed: PlacedCard[]; bottom: number } {
  const height = CARD_PAD + LINE_HEIGHT * Math.max(0, ...cards.map(({ lines }) => lines.length));
  const placed = cards.map((card, index) => ({
    ...card,
    x: MARGIN + PAD + (index % columns) * (gutter + CARD_WIDTH) + gutter,
    y: top + Math.floor(index / columns) * (height + ROW_GAP),
    height,
  }));
  return { placed, bottom: top + Math.ceil(cards.length / columns) * (height + ROW_GAP) };
}

/** The next hops that get lines, the most used first. */
function chooseHops({ endpoints }: TopologyNetwork): string[] {
  const hops = endpoints.flatMap(({ routes }) => routes.map(({ nextHop }) => nextHop)).filter((hop) => hop !== "");
  const counts = new Map<string, number>();
  for (const hop of hops) counts.set(hop, (counts.get(hop) ?? 0) + 1);
  const ordered = [...counts].sort(([, left], [, right]) => right - left);
  return ordered.slice(0, MAX_LANES).map(([hop]) => hop);
}

function findHop(hops: readonly HopCard[], placed: readonly PlacedCard[], hop: string): PlacedCard | undefined {
  return placed[hops.findIndex(({ addresses }) => addresses.includes(hop))];
}

interface Seat {
  readonly endpoint: TopologyEndpoint;
  readonly card: PlacedCard;
}

function pair(endpoints: readonly TopologyEndpoint[], cards: readonly PlacedCard[]): Seat[] {
  return endpoints.flatMap((endpoint, index) => {
    const card = cards[index];
    return card === undefined ? [] : [{ endpoint, card }];
  });
}

/** Lines of one lane run at the same distance from the cards everywhere, so that lines of different ones only cross. */
function drawLane(lane: { index: number; hop: string; card: PlacedCard; trunk: number }, seats: readonly Seat[]): Lane {
  const { index, hop, card, trunk } = lane;
  const riser = ({ x }: PlacedCard): number => x - 12 - index * LANE;
  const sources = seats.flatMap(({ endpoint, card: from }) => {
    const routes = endpoint.routes.filter(({ nextHop }) => nextHop === hop);
    if (routes.length === 0) return [];
    const y = from.y + from.height - 14 - index * LANE;
    const points = [
      { x: from.x, y },
      { x: riser(from), y },
      { x: riser(from), y: trunk },
    ];
    return [{ points, title: `${endpoint.name}\n${routes.map(formatRoute).join("\n")}` }];
  });
  const ends = [riser(card), ...sources.map(({ points }) => points[1]?.x ?? 0)];
  const target = [
    { x: riser(card), y: trunk },
    { x: riser(card), y: card.y + 22 },
    { x: card.x, y: card.y + 22 },
  ];
  return {
    index,
    hop,
    sources,
    trunk: [
      { x: Math.min(...ends), y: trunk },
      { x: Math.max(...ends), y: trunk },
    ],
    target,
  };
}
