import { neededAddresses, planBlocks } from "../../src/core/ipam/warm.ts";
import { createRandom } from "./random.ts";

/** One minute of a day of a node: pods, addresses that are not free, and addresses that its blocks have. */
export interface Minute {
  readonly pods: number;
  readonly held: number;
  readonly owned: number;
}

const MINUTES = 24 * 60;
const BLOCK = 16;
const TARGETS = { ips: 8, minimum: 0, blocks: 0 };

/**
 * A day with a slow tide, a job of 60 pods every four hours and restarts in between. A released address cools for a minute here, and a
 * shrink waits for one: a minute is the step.
 */
export function traceDay(seed: number): Minute[] {
  const random = createRandom(seed);
  const trace: Minute[] = [];
  let [owned, before, isDue] = [0, 0, false];
  for (let minute = 0; minute < MINUTES; minute++) {
    const tide = 70 + 45 * Math.sin(((minute - 8 * 60) / MINUTES) * 2 * Math.PI);
    const job = minute % 240 >= 200 ? 60 : 0;
    const pods = Math.round(tide + job + random() * 6);
    const restarts = Math.floor(random() * 3);
    const cooling = Math.max(0, before - pods) + restarts;
    before = pods;
    const demand = { assigned: pods, waiting: 0, cooling, quarantined: 0, reserved: 4 };
    const plan = planBlocks(TARGETS, { need: neededAddresses(TARGETS, demand, BLOCK), owned, blockSize: BLOCK });
    if (plan.action === "grow" || (plan.action === "shrink" && isDue)) owned = plan.owned;
    isDue = plan.action === "shrink" && !isDue;
    trace.push({ pods, held: pods + cooling + demand.reserved, owned });
  }
  return trace;
}

const WIDTH = 760;
const HEIGHT = 300;
const EDGE = { left: 44, top: 34, right: 12, bottom: 28 };
const TOP = 208;

const LINES = [
  { key: "owned", name: "addresses of the blocks", colour: "#2f6f9f" },
  { key: "held", name: "not free: assigned, cooling, reserved", colour: "#c2703d" },
  { key: "pods", name: "pods", colour: "#7a8790" },
] as const;

/** The day as a picture. The same trace gives the same text. */
export function renderDay(trace: readonly Minute[]): string {
  const x = (minute: number): string => (EDGE.left + (minute / MINUTES) * (WIDTH - EDGE.left - EDGE.right)).toFixed(1);
  const y = (count: number): string => (HEIGHT - EDGE.bottom - (count / TOP) * (HEIGHT - EDGE.top - EDGE.bottom)).toFixed(1);
  const text = (left: string, top: string, content: string): string => `<text x="${left}" y="${top}">${content}</text>`;
  const hours = [0, 4, 8, 12, 16, 20, 24].map((hour) => text(x(hour * 60), String(HEIGHT - 10), `${hour}:00`));
  const counts = [0, 64, 128, 192].flatMap((count) => [
    `<line x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${y(count)}" y2="${y(count)}" stroke="#dddddd"/>`,
    text("10", y(count), String(count)),
  ]);
  const legend = LINES.map(({ name, colour }, index) => `<text x="${EDGE.left + index * 250}" y="20" fill="${colour}">${name}</text>`);
  const curves = LINES.map(({ key, colour }) => {
    const path = trace.map((minute, index) => `${index === 0 ? "M" : "L"}${x(index)},${y(minute[key])}`).join("");
    return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
  });
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`;
  return [head, `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`, ...counts, ...hours, ...legend, ...curves, "</svg>", ""].join(
    "\n",
  );
}
