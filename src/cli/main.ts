import yargs from "yargs";
import { PluginError } from "../core/base/errors.ts";
import { addAgent } from "./agent.ts";
import { addAttachment } from "./attachment.ts";
import { addCompletion } from "./completion.ts";
import { addConfig } from "./config.ts";
import { addExplain } from "./explain.ts";
import { addIpam } from "./ipam.ts";
import { addNetwork } from "./network.ts";
import { addReconcile } from "./reconcile.ts";
import { addStatus } from "./status.ts";
import { addTopology } from "./topology.ts";
import { addSourceVip } from "./source-vip.ts";
import { addVersion } from "./version.ts";
import { CliError, type CliWorld, type ExitCode, type Run } from "./world.ts";

const WIDTH = 100;

const ABOUT =
  "Container networking for Windows nodes. A container runtime runs this program as a CNI plugin, with CNI_COMMAND and the other " +
  "CNI_* variables set and the configuration on standard input. The commands below are for administrators.";

/** Runs the admin command line. Never throws; the caller ends with the exit code. */
export async function runCli(args: readonly string[], world: CliWorld): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const run: Run = async (work) => {
    exitCode = await guard(world, work);
  };
  let asked = ""; // what yargs itself would print: help or version
  try {
    // Without a command, the help says what there is.
    await buildParser(world, run).parseAsync(args.length === 0 ? ["--help"] : [...args], {}, (_error, _argv, output) => {
      asked = output;
    });
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return tell(world, `${why.replaceAll(/\s*\n\s*/g, " ")}\nsee hns-cni --help`, 2);
  }
  if (asked !== "") world.writeOut(`${asked}\n`);
  return exitCode;
}

function buildParser(world: CliWorld, run: Run): ReturnType<typeof yargs> {
  const cli = yargs()
    .scriptName("hns-cni")
    .usage(`$0 <command>\n\n${ABOUT}`)
    .locale("en")
    .wrap(WIDTH)
    // Numbers stay texts, so that 0x803b0014 arrives as written; a word of a log line that begins with - is a word.
    .parserConfiguration({
      "parse-numbers": false,
      "parse-positional-numbers": false,
      "unknown-options-as-args": true,
      "dot-notation": false,
      "boolean-negation": false,
    })
    .version(world.version)
    .help()
    .strict()
    .demandCommand(1, "name a command")
    .exitProcess(false)
    .fail(false);
  addAgent(cli, run);
  addAttachment(cli, run);
  addCompletion(cli, run);
  addConfig(cli, run);
  addExplain(cli, run);
  addIpam(cli, run);
  addNetwork(cli, run);
  addReconcile(cli, run);
  addStatus(cli, run);
  addTopology(cli, run);
  addSourceVip(cli, run);
  addVersion(cli, run);
  return cli;
}

async function guard(world: CliWorld, work: Parameters<Run>[0]): Promise<ExitCode> {
  try {
    return await work(world);
  } catch (thrown) {
    if (thrown instanceof CliError) return tell(world, `${thrown.message}\n${thrown.next}`, 1);
    if (thrown instanceof PluginError && thrown.code !== "INTERNAL") {
      return tell(world, `${thrown.message}\n${thrown.data.remedy ?? `hns-cni explain ${thrown.code} says more`}`, 1);
    }
    const why = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    return tell(world, `an unexpected error: ${why}\nreport this with the command and its input`, 1);
  }
}

function tell(world: CliWorld, text: string, exitCode: ExitCode): ExitCode {
  world.writeError(`hns-cni: ${text}\n`);
  return exitCode;
}
