import type { Argv } from "yargs";
import { type Family, formatIp, type IpAddress } from "../core/base/ip.ts";
import { canonicaliseKeys } from "../core/config/canonical-keys.ts";
import { buildPluginConfig, findFaults } from "../core/config/normalise.ts";
import { findRole } from "../core/config/our-names.ts";
import type { PluginConfig } from "../core/config/plugin-config.ts";
import { DATAPATHS } from "../core/datapath/datapaths.ts";
import { type ConfFile, parseConfFile } from "./config-file.ts";
import { outputOption, writeDocument } from "./output.ts";
import { CliError, type CliWorld, type ExitCode, readInput, type Run } from "./world.ts";

export interface SourceVipArguments {
  /** A path, or - for stdin. */
  readonly conf: string;
  readonly family: Family;
  readonly output: "text" | "json" | "yaml";
}

export function addSourceVip(cli: Argv, run: Run): Argv {
  return cli.command(
    "source-vip",
    "Print the address that kube-proxy needs as --source-vip on overlay networks",
    (sub) =>
      sub
        .option("conf", {
          type: "string",
          demandOption: true,
          describe: "configuration (.conf) or list (.conflist); --conf=- reads standard input",
        })
        .option("family", { choices: ["4", "6"] as const, default: "4" as const, describe: "address family" })
        .option("output", outputOption<"text">(["text"])),
    ({ conf, family, output }) => run((world) => showSourceVip(world, { conf, family: family === "6" ? 6 : 4, output })),
  );
}

/** The same address each time: it is kept back from pods by the range itself, so nothing is reserved and nothing has to be given back. */
export function showSourceVip(world: CliWorld, { conf, family, output }: SourceVipArguments): ExitCode {
  const { networkName, address } = findSourceVip(parseConfFile(readInput(world, conf), conf), conf, family);
  const text = formatIp(address);
  if (output === "text") world.writeOut(`${text}\n`);
  else writeDocument(world, { network: networkName, sourceVip: text }, output);
  return 0;
}

function findSourceVip(file: ConfFile, name: string, family: Family): { networkName: string; address: IpAddress } {
  const fail = (why: string, next: string): CliError => new CliError(`no source VIP from ${name}`, { why, next });
  const [part, second] = file.parts;
  if (part === undefined || second !== undefined) throw fail("it has not exactly one object of this plugin", "name another file");
  if (findRole(part.config, []) !== "plugin") {
    throw fail("its addresses are not this plugin's to give", "reserve one where they come from, or use ipam.type hns-cni");
  }
  const document = canonicaliseKeys(part.config, []);
  if (findFaults(document).length > 0) throw fail("the configuration has faults", `hns-cni conf validate ${name} says more`);
  const config: PluginConfig = buildPluginConfig(document);
  if (config.mode === undefined) throw fail("it does not name its mode", 'add "mode": "overlay" to it');
  const vips = DATAPATHS[config.mode].sourceVips(config);
  if (vips.length === 0) throw fail(`a network of mode ${config.mode} needs none`, "leave --source-vip of kube-proxy out");
  const address = vips.find((vip) => vip.family === family);
  if (address === undefined) throw fail(`it has no range of IPv${family}`, "ask for the other family");
  return { networkName: config.networkName, address };
}
