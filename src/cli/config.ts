import type { Argv } from "yargs";
import { convertConfig } from "./config-convert.ts";
import { explainKey } from "./config-explain.ts";
import { generateConfig, LAYOUT_NAMES } from "./config-generate.ts";
import { showConfig, validateConfig } from "./config-view.ts";
import { outputOption } from "./output.ts";
import type { Run } from "./world.ts";

const FILE = { type: "string", demandOption: true, describe: "configuration (.conf) or list (.conflist); - reads standard input" } as const;
const RANGES = { type: "string", array: true, default: [] as string[] } as const;

export function addConfig(cli: Argv, run: Run): void {
  const addVerbs = (yargs: Argv): Argv => {
    addViews(yargs, run);
    addConvert(yargs, run);
    addGenerate(yargs, run);
    return yargs.demandCommand(1, "say what to do with the configuration: validate, show, explain, convert or generate");
  };
  cli.command("config", "Look at network configurations, convert other plugins', write new ones", addVerbs);
  cli.command("conf", false, addVerbs); // the noun's older name
}

function addViews(yargs: Argv, run: Run): void {
  yargs
    .command(
      "validate <file>",
      "Report everything that is wrong with a configuration",
      (sub) => sub.positional("file", FILE).option("output", outputOption<"text">(["text"])),
      ({ file, output }) => run((world) => validateConfig(world, { file: readDash(file), output })),
    )
    .command(
      "show <file>",
      "Print a configuration with all defaults filled in",
      (sub) =>
        sub
          .positional("file", FILE)
          .option("effective", { type: "boolean", default: true, describe: "with defaults; --effective=false prints what was written" })
          .option("output", outputOption(["json"])),
      ({ file, effective, output }) => run((world) => showConfig(world, { file: readDash(file), isEffective: effective, output })),
    )
    .command(
      "explain [key]",
      "Say what a key of the configuration means",
      (sub) =>
        sub
          .positional("key", { type: "string", describe: "such as ipam.cooldownSeconds; without it, all keys are listed" })
          .option("output", outputOption<"text">(["text"])),
      ({ key, output }) => run((world) => explainKey(world, { key, output })),
    );
}

function addConvert(yargs: Argv, run: Run): void {
  yargs.command(
    "convert <file>",
    "Translate another plugin's configuration into this plugin's",
    (sub) =>
      sub
        .positional("file", FILE)
        .option("ipam", {
          choices: ["keep", "ours"] as const,
          default: "keep" as const,
          describe: "leave another IPAM plugin in place, or make its range a pool of this plugin",
        })
        .option("cidr", { type: "string", describe: "this node's pod range, where the source does not name it" })
        .option("cluster-cidr", { ...RANGES, describe: "a pod range of the cluster; may be given several times" })
        .option("write", { type: "string", describe: "write the result to this file, in one step" })
        .option("force", { type: "boolean", default: false, describe: "let --write replace a file" })
        .option("output", outputOption(["json"])),
    ({ file, ipam, cidr, clusterCidr, write, force, output }) =>
      run((world) => convertConfig(world, { file: readDash(file), ipam, cidr, clusterCidrs: clusterCidr, write, force, output })),
  );
}

function addGenerate(yargs: Argv, run: Run): void {
  yargs.command(
    "generate",
    "Print a configuration list that is ready for use",
    (sub) =>
      sub
        .option("mode", { type: "string", demandOption: true, describe: "kind of HNS network, such as l2bridge" })
        .option("layout", { choices: LAYOUT_NAMES, default: "plain" as const, describe: "whose nodes it is for" })
        .option("cidr", { type: "string", describe: "this node's pod range; an example unless given" })
        .option("name", { type: "string", describe: "name of the network; the layout's unless given" })
        .option("adapter", { type: "string", describe: "adapter of pod traffic, as Get-NetAdapter lists it" })
        .option("cluster-cidr", { ...RANGES, describe: "a pod range of the cluster; may be given several times" })
        .option("service-cidr", { ...RANGES, describe: "a service range of the cluster; may be given several times" })
        .option("nameserver", { ...RANGES, describe: "address of the cluster's DNS; may be given several times" })
        .option("output", outputOption(["json"])),
    ({ mode, layout, cidr, name, adapter, clusterCidr, serviceCidr, nameserver, output }) =>
      run((world) =>
        generateConfig(world, {
          ...{ mode, layout, cidr, name, adapter, output },
          clusterCidrs: clusterCidr,
          serviceCidrs: serviceCidr,
          nameservers: nameserver,
        }),
      ),
  );
}

/** yargs hands a lone "-" over as an empty text. */
function readDash(file: string): string {
  return file === "" ? "-" : file;
}
