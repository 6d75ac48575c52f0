import type { Line } from "./cards.ts";
import { CARD_WIDTH, type Lane, layOut, LINE_HEIGHT, type Panel, PANEL_TOP, type PlacedCard, type Point } from "./layout.ts";
import type { Topology } from "./model.ts";
import type { Owner } from "./ownership.ts";
import { cleanText, countOf, fitText } from "./text.ts";

/** Width of a character in ems: the widest among the fonts named, so that cut text always fits. */
const EM = 0.62;
const SIZES = { title: 18, heading: 15, name: 12.5, line: 11 } as const;
type Size = keyof typeof SIZES;

/** Both sides are legible on a page of either kind: the picture brings its own background. */
const STYLE = `
text{font-family:ui-monospace,"Cascadia Mono",Consolas,Menlo,"DejaVu Sans Mono",monospace;fill:#1f2328}
.page{fill:#ffffff}.panel{fill:#f6f8fa;stroke:#d0d7de}.card{fill:#ffffff;stroke:#d0d7de}
.title{font-size:${SIZES.title}px;font-weight:600}.heading{font-size:${SIZES.heading}px;font-weight:600}
.name{font-size:${SIZES.name}px;font-weight:600}.line{font-size:${SIZES.line}px}.dim{fill:#59636e}
.ours{fill:#1a7f37}.adopted{fill:#0969da}.foreign{fill:#9a6700}.unknown{fill:#818b98}
.wire{fill:none;stroke-width:1.5}.tip{stroke:none}
.l0{stroke:#0969da}.l1{stroke:#8250df}.l2{stroke:#bf3989}.l3{stroke:#1b7c83}.l4{stroke:#953800}.l5{stroke:#57606a}
.t0{fill:#0969da}.t1{fill:#8250df}.t2{fill:#bf3989}.t3{fill:#1b7c83}.t4{fill:#953800}.t5{fill:#57606a}
@media (prefers-color-scheme:dark){
text{fill:#f0f6fc}.page{fill:#0d1117}.panel{fill:#151b23;stroke:#3d444d}.card{fill:#0d1117;stroke:#3d444d}
.dim{fill:#9198a1}.ours{fill:#3fb950}.adopted{fill:#4493f8}.foreign{fill:#d29922}.unknown{fill:#818b98}
.l0{stroke:#4493f8}.l1{stroke:#ab7df8}.l2{stroke:#db61a2}.l3{stroke:#39c5cf}.l4{stroke:#f0883e}.l5{stroke:#9198a1}
.t0{fill:#4493f8}.t1{fill:#ab7df8}.t2{fill:#db61a2}.t3{fill:#39c5cf}.t4{fill:#f0883e}.t5{fill:#9198a1}
}`;

/** The topology as one SVG document without scripts and without references to anything outside. The same topology gives the same text. */
export function renderSvg(topology: Topology): string {
  const { width, height, panels } = layOut(topology);
  const notes = topology.warnings.map((warning, index) =>
    writeText({ x: 20, y: height + index * LINE_HEIGHT }, { text: warning }, "line", width - 40),
  );
  const total = height + notes.length * LINE_HEIGHT + (panels.length === 0 ? 40 : 0);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${total}" viewBox="0 0 ${width} ${total}" role="img">`,
    `<title>${escapeXml(summarise(topology))}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="page" width="${width}" height="${total}"/>`,
    writeText({ x: 20, y: 34 }, { text: "HNS on this node" }, "title", width - 40),
    writeText({ x: 20, y: 56 }, { text: summarise(topology) }, "line", width - 40),
    ...writeLegend(topology, width),
    ...(panels.length === 0 ? [writeText({ x: 20, y: height + 10 }, { text: "HNS has no networks" }, "line", width - 40)] : []),
    ...panels.flatMap(drawPanel),
    ...notes,
    "</svg>",
    "",
  ].join("\n");
}

/** The same picture as a page. */
export function renderHtml(topology: Topology): string {
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    "<title>HNS on this node</title>",
    "<style>html{color-scheme:light dark}body{margin:0}svg{max-width:100%;height:auto}</style>",
    "</head>",
    "<body>",
    `${renderSvg(topology)}</body>`,
    "</html>",
    "",
  ].join("\n");
}

function summarise({ networks, strays, namespaces }: Topology): string {
  const endpoints = networks.reduce((sum, network) => sum + network.endpoints.length, strays.length);
  return [countOf(networks.length, "network"), countOf(endpoints, "endpoint"), countOf(namespaces.length, "namespace")].join(", ");
}

const OWNERS: readonly Owner[] = ["ours", "adopted", "foreign"];

/** Only owners that occur are explained. */
function writeLegend({ networks }: Topology, width: number): string[] {
  const owners = new Set(networks.flatMap(({ owner, endpoints }) => [owner, ...endpoints.map((endpoint) => endpoint.owner)]));
  const shown = OWNERS.filter((owner) => owners.has(owner));
  return shown.flatMap((owner, index) => {
    const x = width - 20 - (shown.length - index) * 84;
    return [
      `<rect class="${owner}" x="${x}" y="47" width="10" height="10" rx="2"/>`,
      writeText({ x: x + 16, y: 56 }, { text: owner }, "line", 68),
    ];
  });
}

function drawPanel({ x, y, width, height, owner, lines, cards, lanes }: Panel): string[] {
  const [heading, ...rest] = lines;
  const badge = owner === undefined || owner === "unknown" ? 0 : 90;
  return [
    `<rect class="panel" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>`,
    ...(heading === undefined ? [] : [writeText({ x: x + 16, y: y + 28 }, heading, "heading", width - 32 - badge)]),
    ...(badge === 0 ? [] : [`<text class="line ${owner}" text-anchor="end" x="${x + width - 16}" y="${y + 27}">${owner}</text>`]),
    ...rest.map((line, index) => writeText({ x: x + 16, y: y + PANEL_TOP + 14 + index * LINE_HEIGHT }, line, "line", width - 32)),
    ...lanes.flatMap(drawLane),
    ...cards.flatMap(drawCard),
  ];
}

function drawLane({ index, hop, sources, trunk, target }: Lane): string[] {
  const end = target.at(-1) ?? { x: 0, y: 0 };
  const tip = `${end.x},${end.y} ${end.x - 8},${end.y - 4} ${end.x - 8},${end.y + 4}`;
  const wire = (points: readonly Point[], title: string): string =>
    `<path class="wire l${index}" d="${pathOf(points)}"><title>${escapeXml(title)}</title></path>`;
  return [
    ...sources.map(({ points, title }) => wire(points, title)),
    wire(trunk, `to ${hop}`),
    wire(target, `to ${hop}`),
    `<polygon class="tip t${index}" points="${tip}"/>`,
  ];
}

function pathOf(points: readonly Point[]): string {
  return points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x} ${y}`).join("");
}

function drawCard({ x, y, height, owner, lines }: PlacedCard): string[] {
  const inner = CARD_WIDTH - 26;
  return [
    `<rect class="card" x="${x}" y="${y}" width="${CARD_WIDTH}" height="${height}" rx="6"/>`,
    ...(owner === "unknown" ? [] : [`<rect class="${owner}" x="${x + 4}" y="${y + 8}" width="4" height="${height - 16}" rx="2"/>`]),
    ...lines.map((line, index) => writeText({ x: x + 16, y: y + 20 + index * LINE_HEIGHT }, line, index === 0 ? "name" : "line", inner)),
  ];
}

/** One line of text, cut to `width`; what was cut is in its title. */
function writeText({ x, y }: Point, line: Line, size: Size, width: number): string {
  const text = cleanText(line.text);
  const shown = fitText(text, Math.floor(width / (SIZES[size] * EM)));
  const title = line.title ?? (shown === text ? "" : line.text);
  const isDim = size === "line";
  return `<text class="${size}${isDim ? " dim" : ""}" x="${x}" y="${y}">${title === "" ? "" : `<title>${escapeXml(title)}</title>`}${escapeXml(shown)}</text>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;", "'": "&#39;" };

/** Text for XML and HTML. Line feeds stay; other control characters are not allowed there at all. */
function escapeXml(text: string): string {
  const lines = text.split("\n").map(cleanText).join("\n");
  return lines.replaceAll(/[<>&"']/g, (character) => ENTITIES[character] ?? "");
}
