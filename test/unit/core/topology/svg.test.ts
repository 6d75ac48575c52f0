import { CARD_WIDTH, layOut, type Panel, type Picture, type PlacedCard } from "../../../../src/core/topology/layout.ts";
import { buildTopology, type Topology } from "../../../../src/core/topology/model.ts";
import { renderHtml, renderSvg } from "../../../../src/core/topology/svg.ts";
import { listElements, parseXml, type XmlElement } from "../../../support/xml.ts";
import { crowd, DOCUMENTS, EMPTY, EMPTY_NAMESPACE, NAMESPACE, NAT, PODS, sampleTopology } from "./sample.ts";

const elements = (topology: Topology): XmlElement[] => listElements(parseXml(renderSvg(topology)));
const texts = (topology: Topology): string[] => elements(topology).flatMap(({ name, text }) => (name === "text" ? [text] : []));
const titles = (topology: Topology): string[] => elements(topology).flatMap(({ name, text }) => (name === "title" ? [text] : []));

const NASTY = `<script>alert("1")</script> & 'x' ]]> \u0000\u0007\ud800 ${"n".repeat(300)}`;

/** Every text that HNS tells is one that hurts. */
function nasty(): Topology {
  return buildTopology(
    {
      ...EMPTY,
      networks: [
        {
          ID: PODS,
          Name: NASTY,
          Type: NASTY,
          Ipams: [{ Subnets: [{ IpAddressPrefix: NASTY, Routes: [{ NextHop: NASTY, DestinationPrefix: "0.0.0.0/0" }] }] }],
          Policies: [{ Type: NASTY, Settings: { [NASTY]: NASTY } }],
        },
      ],
      endpoints: [
        {
          ID: NAT,
          Name: NASTY,
          HostComputeNetwork: PODS,
          IpConfigurations: [{ IpAddress: NASTY }],
          Routes: [{ NextHop: NASTY, DestinationPrefix: NASTY }],
          Policies: [{ Type: NASTY, Settings: NASTY }],
        },
      ],
      namespaces: [{ ID: EMPTY_NAMESPACE, Type: NASTY }],
      loadBalancers: [{ ID: EMPTY_NAMESPACE, FrontendVIPs: [NASTY], PortMappings: [{}] }],
      sdnRoutes: [{ ID: EMPTY_NAMESPACE, Routes: [{ DestinationPrefix: NASTY, NextHop: NASTY }] }],
      endpointsV1: [{ ID: NAT, State: 2, SharedContainers: [NASTY] }],
      warnings: [NASTY],
    },
    undefined,
  );
}

describe("the picture", () => {
  it("tells of a network, its gateway, its host endpoint and its pods", () => {
    expect(texts(sampleTopology())).toEqual([
      "HNS on this node",
      "2 networks, 4 endpoints, 2 namespaces",
      "ours",
      "foreign",
      "Default Switch",
      "foreign",
      `NAT · ${NAT}`,
      "pods",
      "ours",
      `L2Bridge on Ethernet · ${PODS}`,
      "subnet 10.244.3.0/24 · gateway 10.244.3.1",
      "policies NetAdapterName 1",
      ...["gateway 10.244.3.1", "of the subnet 10.244.3.0/24"],
      ...["pods_ep", "10.244.3.2/24", "00:15:5d:40:00:00", "the node itself", "next hop of 1 route"],
      ...["strange", "10.244.3.9", "no MAC", "attached to nothing"],
      ...["c0ffee00c0ff…_pods", "10.244.3.10/24", "00:15:5d:40:00:01", `ns ${NAMESPACE}`, "OutBoundNAT 1, ACL 2"],
      "0.0.0.0/0 → 10.244.3.2",
      "endpoints of networks that HNS does not have",
      ...["stray", "no address", "no MAC", "an endpoint of another node"],
      "namespaces without endpoints",
      ...["Guest namespace", EMPTY_NAMESPACE, "compartment 3"],
      "load balancers",
      ...["10.96.0.10", "53/udp → 1053", "to 1 endpoint", "44444444-0000-4000-8000-000000000001"],
      "routes of HNS",
      ...["10.96.0.0/12", "of 1 endpoint", "55555555-0000-4000-8000-000000000001"],
    ]);
  });

  it("tells the policies' settings to who points at them", () => {
    expect(titles(sampleTopology())).toContain(
      'OutBoundNAT {"Exceptions":["10.244.0.0/16"]}\nACL {"Action":"Allow"}\nACL {"Action":"Block"}',
    );
  });

  it.each([
    ["outside of the subnets", "10.9.9.9", "outside of this network"],
    ["a name that is no address", "elsewhere", "outside of this network"],
    ["a free address", "10.244.3.77", "no endpoint has this address"],
    ["another pod's", "10.244.3.9", "the endpoint strange"],
  ])("tells what a next hop is: %s", (_name, NextHop, where) => {
    const [pod, ...others] = DOCUMENTS.endpoints;
    const endpoints = [{ ...(pod as object), Routes: [{ NextHop, DestinationPrefix: "0.0.0.0/0" }] }, ...others];
    const shown = texts(sampleTopology({ endpoints }));
    expect(shown.slice(shown.indexOf(`next hop ${NextHop}`) + 1)[0]).toBe(where);
  });

  it("does not grow without end with an endpoint's policies", () => {
    const [endpoint] = DOCUMENTS.endpoints;
    const Policies = Array.from({ length: 500 }, () => ({ Type: "ACL", Settings: { Action: "Block" } }));
    const topology = sampleTopology({ endpoints: [{ ...(endpoint as object), Policies }] });
    expect(texts(topology)).toContain("ACL 500");
    expect(
      titles(topology)
        .find((title) => title.startsWith("ACL"))
        ?.split("\n"),
    ).toHaveLength(21);
    expect(titles(topology).find((title) => title.startsWith("ACL"))).toMatch(/\nand 480 more$/);
  });

  it("of an empty node says so", () => expect(texts(buildTopology(EMPTY, undefined))).toContain("HNS has no networks"));

  it("escapes whatever HNS tells, and is well-formed all the same", () => {
    expect(texts(nasty())).toContainEqual(expect.stringMatching(/^<script>alert\("1"\)<\/scri.*…$/));
    expect(titles(nasty())).toContainEqual(
      expect.stringContaining(`<script>alert("1")</script> & 'x' ]]> \ufffd\ufffd\ufffd ${"n".repeat(300)}`),
    );
    expect(renderHtml(nasty())).not.toContain("<script");
  });

  it.each([
    ["a small node", sampleTopology()],
    ["hard names", nasty()],
  ])("holds no script and refers to nothing outside: %s", (_name, topology) => {
    const known = ["svg", "title", "style", "rect", "text", "path", "polygon"];
    const attributes = ["xmlns", "width", "height", "viewBox", "role", "class", "x", "y", "rx", "d", "points", "text-anchor"];
    for (const element of elements(topology)) {
      expect(known).toContain(element.name);
      expect(attributes).toEqual(expect.arrayContaining(Object.keys(element.attributes)));
      if (element.name === "style") expect(element.text).not.toMatch(/url\(|@import/);
    }
  });

  it("is legible on dark pages too: every colour has one for them", () => {
    const style = elements(sampleTopology()).find(({ name }) => name === "style")?.text ?? "";
    const [light = "", dark = ""] = style.split("@media (prefers-color-scheme:dark)");
    const coloured = (part: string): string[] =>
      [...part.matchAll(/([.\w]+)\{[^}]*(?:fill|stroke):#/g)].map((match) => match[1] ?? "").sort();
    expect(coloured(light).length).toBeGreaterThan(15);
    expect(coloured(dark)).toEqual(coloured(light));
  });

  it("fits its texts into their boxes, however long and wide they are", () => {
    for (const name of ["n".repeat(300), "名".repeat(300), "👩".repeat(300)]) {
      const topology = crowd(2, ["10.244.0.2"], () => name);
      const shown = texts(topology).filter((text) => text.startsWith(name.slice(0, 4)));
      expect(shown).toHaveLength(2);
      // 12.5 px a line of a name, 0.62 em a column; wide characters take two.
      for (const text of shown) expect(Array.from(text).length * (name.startsWith("n") ? 1 : 2) * 12.5 * 0.62).toBeLessThan(CARD_WIDTH);
    }
  });

  it("as a page is one HTML document around the same picture", () => {
    const page = renderHtml(sampleTopology());
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">\n[^]*<\/html>\n$/);
    expect(page).toContain(renderSvg(sampleTopology()));
  });
});

describe("the layout", () => {
  const crowds: [string, Topology][] = [
    ["a small node", sampleTopology()],
    ["one pod", crowd(1)],
    ["130 pods", crowd(130)],
    [
      "250 pods, seven next hops",
      crowd(
        250,
        Array.from({ length: 7 }, (_, index) => `10.244.0.${index + 2}`),
      ),
    ],
    ["hard names", nasty()],
  ];

  it.each(crowds)("keeps boxes apart, and within what holds them: %s", (_name, topology) => {
    const picture = layOut(topology);
    expectApart(picture.panels.map(boxOfPanel));
    for (const panel of picture.panels) {
      expect(isWithin(boxOfPanel(panel), { left: 0, top: 0, right: picture.width, bottom: picture.height })).toBe(true);
      expectApart(panel.cards.map(boxOfCard));
      for (const card of panel.cards) expect(isWithin(boxOfCard(card), boxOfPanel(panel))).toBe(true);
    }
  });

  it.each(crowds)("draws lines from endpoints to their next hops, through no box and on no other line: %s", (_name, topology) => {
    for (const panel of layOut(topology).panels) expectClearLines(panel);
  });

  it("wraps 130 endpoints into columns", () => {
    const picture = layOut(crowd(130));
    const cards = picture.panels[0]?.cards.filter(({ kind }) => kind === "endpoint") ?? [];
    expect(cards).toHaveLength(130);
    expect(new Set(cards.map(({ x }) => x)).size).toBe(6);
    expect(picture.width).toBeLessThan(2_400);
  });

  it("draws one line for each route, up to six next hops", () => {
    const lanes = (topology: Topology): number[] => layOut(topology).panels[0]?.lanes.map(({ sources }) => sources.length) ?? [];
    expect(lanes(crowd(130))).toEqual([130]);
    expect(
      lanes(
        crowd(
          21,
          Array.from({ length: 7 }, (_, index) => `10.244.0.${index + 2}`),
        ),
      ),
    ).toEqual([3, 3, 3, 3, 3, 3]);
    expect(lanes(crowd(3, [""]))).toEqual([]);
  });
});

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function boxOfPanel({ x, y, width, height }: Pick<Panel, "x" | "y" | "width" | "height">): Box {
  return { left: x, top: y, right: x + width, bottom: y + height };
}

function boxOfCard({ x, y, height }: PlacedCard): Box {
  return { left: x, top: y, right: x + CARD_WIDTH, bottom: y + height };
}

function isWithin(inner: Box, outer: Box): boolean {
  return inner.left >= outer.left && inner.top >= outer.top && inner.right <= outer.right && inner.bottom <= outer.bottom;
}

function overlap(left: Box, right: Box): boolean {
  return left.left < right.right && right.left < left.right && left.top < right.bottom && right.top < left.bottom;
}

function expectApart(boxes: readonly Box[]): void {
  const found = boxes.flatMap((box, index) => boxes.slice(index + 1).filter((other) => overlap(box, other)));
  expect(found).toEqual([]);
}

/** The pieces of a lane as thin boxes. */
function piecesOf({ sources, trunk, target }: Picture["panels"][number]["lanes"][number]): Box[] {
  const lines = [...sources.map(({ points }) => points), trunk, target];
  return lines.flatMap((points) =>
    points.slice(1).map((to, index) => {
      const from = points[index] ?? to;
      return { left: Math.min(from.x, to.x), right: Math.max(from.x, to.x), top: Math.min(from.y, to.y), bottom: Math.max(from.y, to.y) };
    }),
  );
}

function expectClearLines(panel: Panel): void {
  const cards = panel.cards.map(boxOfCard);
  const pieces = panel.lanes.map(piecesOf);
  for (const piece of pieces.flat()) {
    expect(cards.filter((card) => overlap(piece, card))).toEqual([]);
    expect(isWithin(piece, boxOfPanel(panel))).toBe(true);
  }
  for (const [index, lane] of pieces.entries()) {
    const others = pieces.slice(index + 1).flat();
    expect(lane.flatMap((piece) => others.filter((other) => isSameLine(piece, other)))).toEqual([]);
  }
  for (const { target, hop } of panel.lanes) {
    const end = target.at(-1);
    const card = panel.cards.find(({ x, y, height }) => x === end?.x && end.y > y && end.y < y + height);
    expect(card?.lines.some(({ text }) => text.includes(hop))).toBe(true);
  }
}

/** Whether two pieces lie on each other for a length: crossing at a point is no matter. */
function isSameLine(left: Box, right: Box): boolean {
  const isUpright = (box: Box): boolean => box.left === box.right && box.top !== box.bottom;
  if (isUpright(left) !== isUpright(right)) return false;
  if (isUpright(left)) return left.left === right.left && left.top < right.bottom && right.top < left.bottom;
  return left.top === right.top && left.left < right.right && right.left < left.right;
}
