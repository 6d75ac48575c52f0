import type { Argv } from "yargs";
import { deleteNamedNetwork, ensureNetwork, repairNamedNetwork } from "./network-care.ts";
import { prepare } from "./network-prepare.ts";
import { outputOption } from "./output.ts";
import type { Run } from "./world.ts";

const STATE_DIR = {
  type: "string",
  describe: "folder of state.db; that of the configuration, or the product's own, unless given",
} as const;
const CONF = {
  type: "string",
  demandOption: true,
  describe: "configuration (.conf) or list (.conflist); --conf=- reads standard input",
} as const;
const DRY_RUN = { type: "boolean", default: false, describe: "say what would be done, and do nothing" } as const;
const NAME = { type: "string", demandOption: true, describe: "the network's name" } as const;

const PREPARE = {
  conf: { type: "string", describe: "configuration (.conf) or list (.conflist) whose network is made; --conf=- reads standard input" },
  placeholder: { type: "boolean", default: false, describe: "make a network that only brings the switch, with the name External" },
  mode: { choices: ["l2bridge", "overlay"], describe: "kind of the placeholder; that of the configuration, else l2bridge, unless given" },
  adapter: { type: "string", describe: "network card, where neither the configuration nor the default route tells which" },
  timeout: { type: "string", default: "120", coerce: Number, describe: "seconds that the node's addresses have to come back" },
  "dry-run": { type: "boolean", default: false, describe: "show the snapshot, the document and the steps, and change nothing" },
  "state-dir": STATE_DIR,
} as const;

/** The commands that change networks: prepare, ensure, repair and delete. */
export function addNetworkCare(cli: Argv, run: Run): Argv {
  const output = outputOption<"text">(["text"]);
  return cli
    .command(
      "prepare",
      "Make the first virtual switch of a card safely: snapshot, create, restore, or take back",
      (sub) => sub.options(PREPARE).option("output", output),
      ({ output: form, ...args }) => run((world) => prepare(world, { ...args, output: form })),
    )
    .command(
      "ensure",
      "Make the network of a configuration and its host endpoint, as the first pod would",
      (sub) => sub.option("conf", CONF).option("state-dir", STATE_DIR).option("output", output),
      ({ conf, stateDir, output: form }) => run((world) => ensureNetwork(world, { conf, stateDir, output: form })),
    )
    .command(
      "repair <name>",
      "Verify a network anew and make what is missing of it",
      (sub) =>
        sub
          .positional("name", NAME)
          .option("conf", CONF)
          .option("dry-run", DRY_RUN)
          .option("state-dir", STATE_DIR)
          .option("output", output),
      ({ name, conf, dryRun, stateDir, output: form }) =>
        run((world) => repairNamedNetwork(world, { name, conf, dryRun, stateDir, output: form })),
    )
    .command(
      "delete <name>",
      "Delete a network that this plugin made and that no pod uses",
      (sub) => sub.positional("name", NAME).option("dry-run", DRY_RUN).option("state-dir", STATE_DIR).option("output", output),
      ({ name, dryRun, stateDir, output: form }) => run((world) => deleteNamedNetwork(world, { name, dryRun, stateDir, output: form })),
    );
}
