import { type Cidr, findOffsets, formatCidr } from "../core/base/ip.ts";
import { windowsOffsets } from "../core/ipam/blocks.ts";
import { findPodLimitWarning, poolCapacity, type Split, splitRange } from "../core/ipam/capacity.ts";
import { readBlockSize, readCidr, readNumber, readPodRange } from "./ipam-state.ts";
import { writeDocument, writeTable } from "./output.ts";
import { CliError, type CliWorld, type ExitCode } from "./world.ts";

export interface CapacityArguments {
  readonly cidr: string;
  readonly blockSize: number | undefined;
  readonly reserved: readonly string[];
  readonly windowsReserved: "subnet" | "block";
  readonly maxPods: number | undefined;
  readonly output: "text" | "json" | "yaml";
}

/** Exit code 1 when the kubelet allows more pods than there are addresses. */
export function showCapacity(world: CliWorld, request: CapacityArguments): ExitCode {
  const cidr = readPodRange(request.cidr, "--cidr");
  const blockPrefix = readBlockSize(request.blockSize, cidr);
  const keptBack = request.reserved.map((text) => {
    const range = findOffsets(cidr, text);
    if (range !== undefined && range !== "outside") return range;
    const why = range === undefined ? "it is no address, network or range first-last" : `it lies outside ${request.cidr}`;
    throw new CliError(`--reserved "${text}" is not usable`, {
      why,
      next: "write such as 10.244.3.10, 10.244.3.16/28 or 10.244.3.5-10.244.3.9",
    });
  });
  const isReservedPerBlock = request.windowsReserved === "block";
  if (isReservedPerBlock && cidr.address.family === 6) throw tooMany();
  const subnet = { cidr, reserved: windowsOffsets(cidr), keptBack, isReservedPerBlock, blockPrefix };
  const capacity = poolCapacity(subnet, blockPrefix);
  const maxPods = request.maxPods === undefined ? undefined : readNumber(request.maxPods, "--max-pods");
  const warning = maxPods === undefined ? undefined : findPodLimitWarning(capacity.usable, maxPods);
  if (request.output !== "text") {
    writeDocument(world, { cidr: formatCidr(cidr), ...capacity, ...(warning === undefined ? {} : { warning }) }, request.output);
  } else {
    const { usable, addresses, reserved, blocks, blockSize } = capacity;
    const carved = blocks === 1 ? `1 block of ${blockSize}` : `${blocks} blocks of ${blockSize}`;
    world.writeOut(`${formatCidr(cidr)}: ${usable} addresses for pods (${addresses}, of which ${reserved} are reserved), ${carved}\n`);
    if (warning !== undefined) world.writeOut(`warning: ${warning}\n`);
  }
  return warning === undefined ? 0 : 1;
}

function tooMany(): CliError {
  const why = "an IPv6 range has too many blocks to count what is kept back in each";
  return new CliError("--windows-reserved block is not usable", { why, next: "leave it out: of each block 3 addresses fall away" });
}

export interface SplitArguments {
  readonly cidr: string;
  readonly nodes: number | undefined;
  readonly maxPods: number | undefined;
  readonly output: "text" | "wide" | "json" | "yaml";
}

/** Ranges that the short form lists. */
const SHOWN = 8;

/** Exit code 1 when a node's range has fewer addresses than the kubelet allows pods. */
export function splitCidr(world: CliWorld, request: SplitArguments): ExitCode {
  const cidr = readCidr(request.cidr, "the range");
  const nodes = readNumber(request.nodes ?? Number.NaN, "--nodes");
  const split = splitPodRange(cidr, nodes);
  const first = split.rangeAt(0);
  const { usable } = poolCapacity({ cidr: first, reserved: windowsOffsets(first) }, first.prefix);
  const warning = request.maxPods === undefined ? undefined : findPodLimitWarning(usable, readNumber(request.maxPods, "--max-pods"));
  const shown = request.output === "text" ? Math.min(nodes, SHOWN) : nodes;
  const ranges = Array.from({ length: shown }, (_, index) => formatCidr(split.rangeAt(index)));
  writeSplit(
    world,
    { cidr: formatCidr(cidr), nodes, prefix: split.prefix, usable, spare: split.ranges - nodes, warning, ranges },
    request.output,
  );
  return warning === undefined ? 0 : 1;
}

/** Throws CliError when a node's part would be no pod range. */
function splitPodRange(cidr: Cidr, nodes: number): Split {
  const split = splitRange(cidr, nodes);
  const { family } = cidr.address;
  if (split !== undefined && split.prefix <= (family === 4 ? 29 : 126)) return split;
  const why = `a node's range would have fewer than ${family === 4 ? 8 : 4} addresses`;
  throw new CliError(`${formatCidr(cidr)} cannot be divided among ${nodes} nodes`, { why, next: "name a larger range, or fewer nodes" });
}

interface SplitView {
  readonly cidr: string;
  readonly nodes: number;
  readonly prefix: number;
  /** Addresses of a node's range that pods can have. */
  readonly usable: number;
  readonly spare: number;
  readonly warning: string | undefined;
  readonly ranges: readonly string[];
}

function writeSplit(world: CliWorld, view: SplitView, output: SplitArguments["output"]): void {
  const { warning, ranges, ...facts } = view;
  if (output === "json" || output === "yaml") {
    writeDocument(world, { ...facts, ...(warning === undefined ? {} : { warning }), ranges }, output);
    return;
  }
  const { cidr, nodes, prefix, usable, spare } = facts;
  world.writeOut(`${cidr} among ${nodes} nodes: a /${prefix} each, ${usable} addresses for pods; ${spare} ranges are spare\n`);
  writeTable(
    world,
    ["node", "range"],
    ranges.map((range, index) => [String(index + 1), range]),
  );
  if (ranges.length < nodes) world.writeOut(`and ${nodes - ranges.length} more; -o wide lists all\n`);
  if (warning !== undefined) world.writeOut(`warning: ${warning}\n`);
}
