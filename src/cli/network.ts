import type { Argv } from "yargs";
import { cleanText, countPolicies, fitText } from "../core/topology/text.ts";
import { toDocument } from "../core/topology/document.ts";
import type { TopologyNetwork } from "../core/topology/model.ts";
import { describeChange, type NetworkChange } from "../core/engine/network-place.ts";
import { addNetworkCare } from "./network-care-commands.ts";
import { showNetwork } from "./network-show.ts";
import { NODE_OPTIONS, type NodeArguments, readPlaceChanges, readTopology } from "./node-topology.ts";
import { outputOption, showCell, writeDocument, writeTable } from "./output.ts";
import type { CliWorld, ExitCode, Run } from "./world.ts";

/** Longer names are cut; the other forms have them whole. */
const NAME_COLUMNS = 60;

export interface ListArguments extends NodeArguments {
  readonly output: "text" | "wide" | "json" | "yaml";
}

export function addNetwork(cli: Argv, run: Run): Argv {
  const output = outputOption<"text" | "wide">(["text", "wide"]);
  return cli.command("network", "Look at the networks that HNS holds, and care for those of this plugin", (yargs) =>
    addNetworkCare(yargs, run)
      .command(
        "list",
        "List all networks, whoever made them",
        (sub) => sub.options(NODE_OPTIONS).option("output", output),
        ({ stateDir, timeout, output }) => run((world) => listNetworks(world, { stateDir, timeout, output })),
      )
      .command(
        "show <name>",
        "Show one network, and what in it differs from a configuration",
        (sub) =>
          sub
            .positional("name", { type: "string", demandOption: true, describe: "its name or id" })
            .option("conf", { type: "string", describe: "configuration to compare with; - reads standard input" })
            .options(NODE_OPTIONS)
            .option("output", output),
        ({ name, conf, stateDir, timeout, output }) => run((world) => showNetwork(world, { name, conf, stateDir, timeout, output })),
      )
      .demandCommand(1, "say what to do with the networks: list, show, prepare, ensure, repair or delete"),
  );
}

/** Throws what HNS throws. */
export async function listNetworks(world: CliWorld, { output, ...node }: ListArguments): Promise<ExitCode> {
  const { networks } = (await readTopology(world, node)).topology;
  const changes = await readPlaceChanges(world, node, networks);
  const withChanges = networks.map((network) => ({ ...network, changes: changes.get(network.id) ?? [] }));
  if (output === "json" || output === "yaml") writeDocument(world, toDocument(withChanges), output);
  else if (networks.length === 0) world.writeOut("HNS has no networks\n");
  else if (output === "text") {
    writeTable(world, ["name", "type", "subnets", "endpoints", "owner"], networks.map(describe));
  } else {
    const titles = ["name", "type", "subnets", "endpoints", "owner", "id", "adapter", "gateways", "policies"];
    writeTable(world, titles, networks.map(describeWide));
  }
  if (output === "text" || output === "wide") for (const { name, changes } of withChanges) writeChanges(world, name, changes);
  return 0;
}

function writeChanges(world: CliWorld, network: string, changes: readonly NetworkChange[]): void {
  for (const change of changes) world.writeOut(`${cleanText(`${network}: ${describeChange(change)}; ${change.remedy}`)}\n`);
}

function describe({ name, type, subnets, endpoints, owner }: TopologyNetwork): string[] {
  return [
    showCell(fitText(cleanText(name), NAME_COLUMNS)),
    showCell(type),
    showCell(subnets.map(({ prefix }) => prefix).join(" ")),
    String(endpoints.length),
    owner,
  ];
}

function describeWide(network: TopologyNetwork): string[] {
  const { id, adapter, subnets, policies } = network;
  const gateways = subnets.flatMap(({ gateway }) => gateway ?? []).join(" ");
  const [, ...brief] = describe(network);
  return [showCell(network.name), ...brief, id, showCell(adapter ?? ""), showCell(gateways), showCell(countPolicies(policies))];
}
