import type { Argv } from "yargs";
import { checkPools } from "./ipam-check.ts";
import { importAddresses, SOURCES } from "./ipam-import.ts";
import { showCapacity, splitCidr } from "./ipam-plan.ts";
import { reclaimAddresses } from "./ipam-reclaim.ts";
import { releaseAddresses } from "./ipam-release.ts";
import { showPools } from "./ipam-show.ts";
import { outputOption } from "./output.ts";
import type { Run } from "./world.ts";

const STATE_DIR = { type: "string", describe: "folder of state.db; the product's own unless given" } as const;
const DRY_RUN = { type: "boolean", default: false, describe: "say what would be done, and change nothing" } as const;
const COUNT = { type: "string", coerce: readCount } as const;
const OUTPUT = outputOption<"text" | "wide">(["text", "wide"]);
const PLAIN_OUTPUT = outputOption<"text">(["text"]);

export function addIpam(cli: Argv, run: Run): Argv {
  return cli.command("ipam", "Look at this node's addresses, plan ranges, take over addresses", (yargs) => {
    addReading(yargs, run);
    addWriting(yargs, run);
    addPlanning(yargs, run);
    return yargs.demandCommand(1, "say what to do with the addresses: show, check, release, reclaim, split, capacity or import");
  });
}

function addReading(yargs: Argv, run: Run): void {
  yargs
    .command(
      "show",
      "Draw the blocks of every pool, with counts",
      (sub) =>
        sub
          .option("state-dir", STATE_DIR)
          .option("network", { type: "string", describe: "only the pools of this network" })
          .option("conf", { type: "string", describe: "the network's configuration, for which addresses are reserved" })
          .option("output", OUTPUT),
      ({ stateDir, network, conf, output }) => run((world) => showPools(world, { stateDir, network, conf, output })),
    )
    .command(
      "check",
      "Compare the tables of addresses with each other and with the attachments",
      (sub) => sub.option("state-dir", STATE_DIR).option("output", PLAIN_OUTPUT),
      ({ stateDir, output }) => run((world) => checkPools(world, { stateDir, output })),
    );
}

function addWriting(yargs: Argv, run: Run): void {
  yargs
    .command(
      "release [address]",
      "Put an address, or all of an owner, to rest: others get it after the cool-down",
      (sub) =>
        sub
          .positional("address", { type: "string", describe: "the address" })
          .option("owner", { type: "string", describe: "all addresses of this owner, as show -o wide names it" })
          .option("network", { type: "string", describe: "only in the pools of this network" })
          .option("yes", { type: "boolean", default: false, describe: "do it" })
          .option("force", {
            type: "boolean",
            default: false,
            describe: "also where a pod is attached with the address, or HNS has an endpoint with it",
          })
          .option("dry-run", DRY_RUN)
          .option("state-dir", STATE_DIR)
          .option("output", PLAIN_OUTPUT),
      ({ stateDir, address, owner, network, yes, force, dryRun, output }) =>
        run((world) => releaseAddresses(world, { stateDir, address, owner, network, yes, force, dryRun, output })),
    )
    .command(
      "reclaim",
      "Release the addresses of pods that are gone from HNS and whose DEL never came",
      (sub) =>
        sub
          .option("conf", { type: "string", describe: "the network's configuration; all networks with the defaults unless given" })
          .option("dry-run", DRY_RUN)
          .option("state-dir", STATE_DIR)
          .option("output", PLAIN_OUTPUT),
      ({ stateDir, conf, dryRun, output }) => run((world) => reclaimAddresses(world, { stateDir, conf, dryRun, output })),
    )
    .command(
      "import <file>",
      "Take over the addresses that another IPAM has given out on this node",
      (sub) =>
        sub
          .positional("file", { type: "string", demandOption: true, describe: "folder of host-local, or file of the others" })
          .option("from", { choices: SOURCES, demandOption: true, describe: "whose it is" })
          .option("network", { type: "string", demandOption: true, describe: "name of the network" })
          .option("cidr", { type: "string", demandOption: true, describe: "this node's pod range" })
          .option("block-size", { ...COUNT, describe: "prefix length of a block" })
          .option("node", { type: "string", describe: "calico-blocks: only blocks of this node" })
          .option("dry-run", DRY_RUN)
          .option("state-dir", STATE_DIR)
          .option("output", OUTPUT),
      ({ stateDir, file, from, network, cidr, blockSize, node, dryRun, output }) =>
        run((world) => importAddresses(world, { stateDir, file, from, network, cidr, blockSize, node, dryRun, output })),
    );
}

function addPlanning(yargs: Argv, run: Run): void {
  yargs
    .command(
      "split <cidr>",
      "Divide a range among nodes",
      (sub) =>
        sub
          .positional("cidr", { type: "string", demandOption: true, describe: "the cluster's pod range" })
          .option("nodes", { ...COUNT, demandOption: true, describe: "how many nodes" })
          .option("max-pods", { ...COUNT, describe: "the kubelet's limit, to compare with" })
          .option("output", OUTPUT),
      ({ cidr, nodes, maxPods, output }) => run((world) => splitCidr(world, { cidr, nodes, maxPods, output })),
    )
    .command(
      "capacity",
      "Count the addresses that a range has for pods",
      (sub) =>
        sub
          .option("cidr", { type: "string", demandOption: true, describe: "the node's pod range" })
          .option("block-size", { ...COUNT, describe: "prefix length of a block" })
          .option("reserved", { type: "string", array: true, default: [] as string[], describe: "addresses, networks or ranges kept back" })
          .option("windows-reserved", {
            choices: ["subnet", "block"] as const,
            default: "subnet" as const,
            describe: "where Windows' four are",
          })
          .option("max-pods", { ...COUNT, describe: "the kubelet's limit, to compare with" })
          .option("output", PLAIN_OUTPUT),
      ({ cidr, blockSize, reserved, windowsReserved, maxPods, output }) =>
        run((world) => showCapacity(world, { cidr, blockSize, reserved, windowsReserved, maxPods, output })),
    );
}

/** Numbers come as texts; what is none is told by the command, as NaN. */
function readCount(value: string | undefined): number | undefined {
  return value === undefined ? undefined : /^\d+$/.test(value) ? Number(value) : Number.NaN;
}
