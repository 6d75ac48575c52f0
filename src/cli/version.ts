import type { Argv } from "yargs";
import { SUPPORTED_VERSIONS } from "../core/cni/version.ts";
import { outputOption, writeDocument } from "./output.ts";
import type { CliWorld, ExitCode, Run } from "./world.ts";

export function addVersion(cli: Argv, run: Run): Argv {
  return cli.command(
    "version",
    "Print the version of the program and of what it speaks",
    (yargs) => yargs.option("output", outputOption<"text">(["text"])),
    ({ output }) => run((world) => printVersion(world, output)),
  );
}

export function printVersion(world: CliWorld, output: "text" | "json" | "yaml"): ExitCode {
  const facts = { version: world.version, cniVersions: SUPPORTED_VERSIONS, node: world.nodeVersion, platform: world.platform };
  if (output !== "text") writeDocument(world, facts, output);
  else {
    world.writeOut(`hns-cni ${facts.version}\nCNI ${facts.cniVersions.join(", ")}\nNode ${facts.node} on ${facts.platform}\n`);
  }
  return 0;
}
