/** `hns-emulator`: starts the HNS emulator and looks at it. Exit codes: 0 done, 1 failed, 2 wrong usage. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { EmulatorClient } from "./client.ts";
import {
  readBudgetWords,
  readFaultWords,
  readJsonObject,
  readLatencyWords,
  readSnapshot,
  UsageError,
  type CliOptions,
} from "./cli-words.ts";
import { startEmulator } from "./cli-start.ts";
import { formatTable } from "./cli-table.ts";

const DEFAULT_ADDRESS = "127.0.0.1:47474";

const USAGE = `hns-emulator <command> [options]

  start                        run the emulator in the background
                               [--port N] [--version-preset 1809|2019|2022|2025] [--foreground]
  status                       what it holds, its boot id, start id and call budget
  networks | endpoints | namespaces | calls | counts | handles | interfaces | routes | uplinks
  create-namespace             what containerd does before ADD; prints the id
  fault <export|*> <kind>      [--nth N] [--match TEXT] [--hresult 0x...] [--ms N]
                               kinds: fail fail-after delay late hang hang-after kill kill-after
                               restart restart-after reboot reboot-after
  latency <export|*> fixed MS | uniform MIN MAX | exponential MEAN   [--seed N]
  budget <calls>               [--hresult 0x...]: refuse what comes after; without it only note it
  faults | latencies           those in force
  clear-faults | clear-latencies | clear-budget | clear-calls | clear-handles
  set <json>                   settings, such as '{"ignoreCallerIds":true}'
  snapshot <file> | restore <file>
  restart | reboot | reset | stop

  --address HOST:PORT          default: HNS_EMULATOR_ADDRESS, else ${DEFAULT_ADDRESS}
  -o, --output json|table
`;

interface Command {
  /** How many words may follow the command. */
  readonly words: number;
  run(client: EmulatorClient, words: readonly string[], options: CliOptions): Promise<unknown>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  status: plain((client) => client.status()),
  networks: plain((client) => client.networks()),
  endpoints: plain((client) => client.endpoints()),
  namespaces: plain((client) => client.namespaces()),
  calls: plain((client) => client.calls()),
  counts: plain((client) => client.counts()),
  handles: plain((client) => client.handles()),
  interfaces: plain((client) => client.interfaces()),
  routes: plain((client) => client.routes()),
  uplinks: plain((client) => client.uplinks()),
  faults: plain((client) => client.faults()),
  latencies: plain((client) => client.latencies()),
  "create-namespace": plain(async (client) => ({ id: await client.createNamespace() })),
  "clear-faults": plain((client) => client.clearFaults()),
  "clear-latencies": plain((client) => client.clearLatencies()),
  "clear-budget": plain((client) => client.clearBudget()),
  "clear-calls": plain((client) => client.clearCalls()),
  "clear-handles": plain((client) => client.clearHandles()),
  restart: plain((client) => client.restart()),
  reboot: plain((client) => client.reboot()),
  reset: plain((client) => client.reset()),
  stop: plain((client) => client.stop()),
  fault: { words: 2, run: (client, words, options) => client.addFault(readFaultWords(words, options)) },
  latency: { words: 4, run: (client, words, options) => client.setLatency(readLatencyWords(words, options)) },
  budget: { words: 1, run: (client, words, options) => client.setBudget(readBudgetWords(words, options)) },
  set: { words: 1, run: (client, [text]) => client.set(readJsonObject(text)) },
  snapshot: { words: 1, run: (client, [file]) => saveSnapshot(client, requireFile(file)) },
  restore: { words: 1, run: async (client, [file]) => client.restore(readSnapshot(await readFile(requireFile(file), "utf8"))) },
};

/** The columns people see; -o json shows everything. */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  networks: ["id", "name", "type", "adapter", "subnets"],
  endpoints: ["id", "name", "networkName", "addresses", "mac", "namespace", "hostCompartment"],
  namespaces: ["id", "compartment", "endpoints"],
  calls: ["sequence", "pid", "name", "hresult", "fault", "args"],
  handles: ["pid", "kind", "id", "handle"],
  faults: ["id", "call", "kind", "nth", "seen", "match", "hresult", "ms"],
  latencies: ["call", "distribution", "ms", "min", "max", "mean", "seed"],
  interfaces: ["name", "kind", "address", "mac", "forwarding"],
  routes: ["destination", "nextHop", "interface"],
  uplinks: ["name", "kind", "mac", "isDhcp", "addresses", "routes", "dns", "mtu"],
};

function plain(run: (client: EmulatorClient) => Promise<unknown>): Command {
  return { words: 0, run };
}

async function main(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      address: { type: "string", default: process.env["HNS_EMULATOR_ADDRESS"] ?? DEFAULT_ADDRESS },
      output: { type: "string", short: "o", default: "table" },
      port: { type: "string" },
      "version-preset": { type: "string" },
      foreground: { type: "boolean", default: false },
      nth: { type: "string" },
      match: { type: "string" },
      hresult: { type: "string" },
      ms: { type: "string" },
      seed: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const { output } = values;
  if (output !== "json" && output !== "table") throw new UsageError("-o takes json or table");
  if (values.help) return void process.stdout.write(USAGE);
  const [name, ...words] = positionals;
  const value = name === "start" ? await start(values, words) : await runCommand(name, words, values);
  process.stdout.write(output === "json" ? `${JSON.stringify(value ?? null, null, 2)}\n` : formatTable(value, COLUMNS[name ?? ""]));
}

function start(values: CliOptions & StartValues, words: readonly string[]): Promise<unknown> {
  if (words.length > 0) throw new UsageError(`start takes no "${words.join(" ")}"`);
  return startEmulator({ port: values.port, versionPreset: values["version-preset"], foreground: values.foreground });
}

interface StartValues {
  readonly port?: string | undefined;
  readonly "version-preset"?: string | undefined;
  readonly foreground: boolean;
}

async function runCommand(name: string | undefined, words: readonly string[], values: CliOptions & { address: string }): Promise<unknown> {
  if (name === undefined) throw new UsageError("a command is missing");
  const command = COMMANDS[name];
  if (command === undefined) throw new UsageError(`no command "${name}"`);
  if (words.length > command.words) throw new UsageError(`${name} takes no "${words.slice(command.words).join(" ")}"`);
  const client = await connect(values.address);
  try {
    return await command.run(client, words, values);
  } finally {
    await client.close();
  }
}

async function connect(address: string): Promise<EmulatorClient> {
  try {
    return await EmulatorClient.connect(address);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Error(`no emulator at ${address} (${reason}): start one with "hns-emulator start", or name another with --address`, {
      cause: thrown,
    });
  }
}

async function saveSnapshot(client: EmulatorClient, file: string): Promise<unknown> {
  const text = `${JSON.stringify(await client.snapshot(), null, 2)}\n`;
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, text);
  await rename(temporary, file);
  return { file, bytes: text.length };
}

function requireFile(file: string | undefined): string {
  if (file === undefined) throw new UsageError("a file's name is missing");
  return file;
}

function isUsage(thrown: unknown): boolean {
  return thrown instanceof UsageError || (thrown instanceof Error && "code" in thrown && String(thrown.code).startsWith("ERR_PARSE_ARGS"));
}

main(process.argv.slice(2)).catch((thrown: unknown) => {
  process.stderr.write(`hns-emulator: ${thrown instanceof Error ? thrown.message : String(thrown)}\n${isUsage(thrown) ? USAGE : ""}`);
  process.exitCode = isUsage(thrown) ? 2 : 1;
});
