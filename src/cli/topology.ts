import type { Argv } from "yargs";
import { findGuid } from "../core/base/ids.ts";
import { toDocument } from "../core/topology/document.ts";
import { selectNetworks, type Topology, type TopologyNetwork } from "../core/topology/model.ts";
import { renderHtml, renderSvg } from "../core/topology/svg.ts";
import { renderTree, type TreeStyle } from "../core/topology/tree.ts";
import { NODE_OPTIONS, type NodeArguments, readTopology } from "./node-topology.ts";
import { outputOption, writeDocument } from "./output.ts";
import { chooseStyle } from "./terminal.ts";
import { CliError, type CliWorld, type ExitCode, type Run } from "./world.ts";

export interface TopologyArguments extends NodeArguments {
  /** A name or an id. */
  readonly network: string | undefined;
  readonly charset: TreeStyle["charset"] | undefined;
  readonly output: "tree" | "svg" | "html" | "json" | "yaml";
}

export function addTopology(cli: Argv, run: Run): Argv {
  return cli.command(
    "topology",
    "Show what HNS holds on this node: networks, endpoints, namespaces, policies, routes",
    (yargs) =>
      yargs
        .option("network", { type: "string", describe: "only this network, by name or id" })
        .option("charset", { choices: ["utf8", "ascii"] as const, describe: "characters of the tree; by the terminal unless given" })
        .options(NODE_OPTIONS)
        .option("output", outputOption<"tree" | "svg" | "html">(["tree", "svg", "html"])),
    ({ network, charset, stateDir, timeout, output }) =>
      run((world) => showTopology(world, { network, charset, stateDir, timeout, output })),
  );
}

/** Throws what HNS throws, and CliError for a network that is not there. */
export async function showTopology(world: CliWorld, { network, charset, output, ...node }: TopologyArguments): Promise<ExitCode> {
  const { topology: whole } = await readTopology(world, node);
  const topology = network === undefined ? whole : selectNamed(whole, network);
  switch (output) {
    case "tree":
      world.writeOut(renderTree(topology, chooseStyle(world.terminal, charset)));
      break;
    case "svg":
      world.writeOut(renderSvg(topology));
      break;
    case "html":
      world.writeOut(renderHtml(topology));
      break;
    case "json":
    case "yaml":
      writeDocument(world, toDocument(topology), output);
  }
  return 0;
}

function selectNamed(topology: Topology, wanted: string): Topology {
  const found = new Set(findNetworks(topology, wanted));
  return selectNetworks(topology, (network) => found.has(network));
}

/** The networks of a name or an id; HNS allows several of one name. Throws CliError when there is none. */
export function findNetworks({ networks }: Topology, wanted: string): readonly TopologyNetwork[] {
  const id = findGuid(wanted);
  const found = networks.filter((network) => network.name === wanted || (id !== undefined && network.id === id));
  if (found.length > 0) return found;
  const names = networks.map(({ name }) => `"${name}"`).join(", ");
  const next = names === "" ? "HNS has no networks: the first pod makes one" : `name one of ${names}`;
  throw new CliError(`no network "${wanted}"`, { why: "HNS has none of this name or id", next });
}
