import type { Argv } from "yargs";
import type { Logger } from "../core/base/log.ts";
import { Reconciler } from "../core/engine/reconcile/reconciler.ts";
import type { ReconcileEntry } from "../core/engine/reconcile/report.ts";
import { readPlan } from "./agent-answers.ts";
import { withState } from "./ipam-state.ts";
import { outputOption, showCell, writeDocument, writeTable } from "./output.ts";
import { CliError, type CliWorld, type ExitCode, type Run } from "./world.ts";

interface ReconcileArguments {
  readonly dryRun: boolean;
  readonly stateDir: string | undefined;
  readonly output: "text" | "json" | "yaml";
}

export function addReconcile(cli: Argv, run: Run): Argv {
  return cli.command(
    "reconcile",
    "Say what the agent would repair in HNS, and do nothing",
    (sub) =>
      sub
        .option("dry-run", {
          type: "boolean",
          default: false,
          describe: "must be given: it is the agent that repairs, at each of its looks",
        })
        .option("state-dir", { type: "string", describe: "folder of state.db where no agent runs; the product's own unless given" })
        .option("output", outputOption<"text">(["text"])),
    ({ dryRun, stateDir, output }) => run((world) => planRepairs(world, { dryRun, stateDir, output })),
  );
}

/** Exit code 1 when HNS did not tell all. Throws CliError without --dry-run, AGENT_SILENT. */
export async function planRepairs(world: CliWorld, { dryRun, stateDir, output }: ReconcileArguments): Promise<ExitCode> {
  if (!dryRun) {
    const next = "add --dry-run to see what its next look would do; hns-cni status shows what the last one did";
    throw new CliError("nothing is repaired by hand", { why: "the agent does it, at start, when HNS restarts and at intervals", next });
  }
  const asked = await readPlan(world);
  const entries = asked ?? (await look(world, stateDir));
  if (output !== "text") writeDocument(world, entries, output);
  else {
    if (asked === undefined) world.writeOut("no agent listens: this is what one would do\n");
    if (entries.length === 0) world.writeOut("HNS and the state agree: there is nothing to do\n");
    else writeTable(world, ["action", "outcome", "network", "subject", "why"], entries.map(describe));
  }
  return entries.some(({ action, outcome }) => action === "look" && outcome === "failed") ? 1 : 0;
}

function describe({ action, outcome, network, subject, detail }: ReconcileEntry): string[] {
  return [action, outcome, network, subject, detail].map(showCell);
}

const SILENT: Logger = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

async function look(world: CliWorld, stateDir: string | undefined): Promise<readonly ReconcileEntry[]> {
  withState(world, stateDir, () => undefined); // a state is not made by looking
  const store = world.openState(stateDir ?? world.defaultStateDir);
  try {
    const engine = { backend: world.openHns(), machine: world.openMachine(), store, log: SILENT };
    return (await new Reconciler({ graceMs: 0 }).pass(engine, { dryRun: true, isFull: true })).entries;
  } finally {
    store.close();
  }
}
