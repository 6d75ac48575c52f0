import type { Argv } from "yargs";
import type { Attachment } from "../core/engine/attachment.ts";
import { withState } from "./ipam-state.ts";
import { outputOption, showCell, writeDocument, writeTable } from "./output.ts";
import { CliError, type CliWorld, type ExitCode, type Run } from "./world.ts";

const STATE_DIR = { type: "string", describe: "folder of state.db; the product's own unless given" } as const;
const NETWORK = { type: "string", describe: "only of this network" } as const;

interface AttachmentView {
  readonly id: string;
  readonly network: string;
  readonly container: string;
  readonly ifname: string;
  readonly phase: string;
  readonly addresses: readonly string[];
  readonly namespace: string;
  readonly endpoint: string;
  readonly updated: string;
  /** The ADD result as the newest version of the specification has it. */
  readonly result: unknown;
  /** Whether the agent could make it again as it was. */
  readonly isRemembered: boolean;
}

export function addAttachment(cli: Argv, run: Run): Argv {
  const output = outputOption<"text" | "wide">(["text", "wide"]);
  return cli.command("attachment", "Look at the pods' interfaces that this node has made", (yargs) =>
    yargs
      .command(
        "list",
        "List them",
        (sub) =>
          sub
            .option("network", NETWORK)
            .option("all", { type: "boolean", default: false, describe: "those that are gone too, for as long as they are remembered" })
            .option("state-dir", STATE_DIR)
            .option("output", output),
        (args) => run((world) => listAttachments(world, args)),
      )
      .command(
        "show <container>",
        "Show those of one container, or of all whose id begins so",
        (sub) =>
          sub
            .positional("container", { type: "string", demandOption: true, describe: "container id, or its beginning" })
            .option("network", NETWORK)
            .option("state-dir", STATE_DIR)
            .option("output", outputOption<"text">(["text"])),
        (args) => run((world) => showAttachments(world, args)),
      )
      .demandCommand(1, "say what to do with the attachments: list or show"),
  );
}

interface Filter {
  readonly network: string | undefined;
  readonly stateDir: string | undefined;
}

function readAttachments(world: CliWorld, { network, stateDir }: Filter): AttachmentView[] {
  return withState(world, stateDir, (store) =>
    store.read((tx) =>
      tx.listAttachments(network === undefined ? {} : { network }).map((attachment) => {
        const addresses = tx
          .listOwned(attachment.id)
          .map(({ address, state }) => (state === "assigned" ? address : `${address} (${state})`));
        return view(attachment, addresses, tx.findRequest(attachment.id) !== undefined);
      }),
    ),
  );
}

function view(attachment: Attachment, addresses: readonly string[], isRemembered: boolean): AttachmentView {
  const { id, network, containerId: container, ifname, phase, netns: namespace, endpoint, updatedAt, result } = attachment;
  const updated = new Date(updatedAt).toISOString();
  return { id, network, container, ifname, phase, addresses, namespace, endpoint, updated, result: parseResult(result), isRemembered };
}

function parseResult(text: string | undefined): unknown {
  try {
    return text === undefined ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

const SHORT = 13;

/** Throws CliError where there is no state. */
export function listAttachments(world: CliWorld, args: Filter & { all: boolean; output: "text" | "wide" | "json" | "yaml" }): ExitCode {
  const found = readAttachments(world, args).filter(({ phase }) => args.all || phase !== "gone");
  if (args.output === "json" || args.output === "yaml") writeDocument(world, found, args.output);
  else if (found.length === 0) world.writeOut("no pod is attached\n");
  else {
    const isWide = args.output === "wide";
    const titles = ["container", "interface", "network", "phase", "addresses", ...(isWide ? ["namespace", "endpoint", "updated"] : [])];
    const rows = found.map(({ container, ifname, network, phase, addresses, namespace, endpoint, updated }) => {
      const name = isWide ? container : container.slice(0, SHORT);
      return [name, ifname, network, phase, addresses.join(" "), ...(isWide ? [namespace, endpoint, updated] : [])].map(showCell);
    });
    writeTable(world, titles, rows);
  }
  return 0;
}

/** Throws CliError when there is none of the container. */
export function showAttachments(world: CliWorld, args: Filter & { container: string; output: "text" | "json" | "yaml" }): ExitCode {
  const found = readAttachments(world, args).filter(({ container }) => container.startsWith(args.container));
  if (found.length === 0) {
    const next = "hns-cni attachment list --all shows those that are known";
    throw new CliError(`no attachment of ${args.container}`, { why: "the state has none whose container id begins so", next });
  }
  if (args.output !== "text") writeDocument(world, found, args.output);
  else for (const one of found) writeOne(world, one);
  return 0;
}

function writeOne(world: CliWorld, one: AttachmentView): void {
  world.writeOut(`${showCell(one.container)} ${showCell(one.ifname)}\n`);
  const facts: [string, string][] = [
    ["network", one.network],
    ["phase", one.phase],
    ["addresses", one.addresses.join(", ")],
    ["namespace", one.namespace],
    ["endpoint", one.endpoint],
    ["id", one.id],
    ["updated", one.updated],
    ["repair", one.isRemembered ? "the agent can make it again" : "its ADD is not remembered: only CHECK would tell a loss"],
    ["result", one.result === null ? "" : JSON.stringify(one.result)],
  ];
  for (const [key, value] of facts) world.writeOut(`  ${key.padEnd(11)}${showCell(value)}\n`);
}
