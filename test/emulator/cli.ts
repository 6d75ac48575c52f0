/** `hns-emulator`: starts the HNS emulator and looks at it. Exit codes: 0 done, 1 failed, 2 wrong usage. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { EmulatorClient, findNode } from "./client.ts";
import { formatTable } from "./cli-table.ts";
import type { FaultKind, FaultSpec } from "./model/faults.ts";

const DEFAULT_ADDRESS = "127.0.0.1:47474";

const USAGE = `hns-emulator <command> [options]

  start [--port N]             run the emulator here until it is stopped
  status                       what it holds, its boot id and start id
  networks | endpoints | namespaces | calls | counts | handles | faults
  create-namespace             what containerd does before ADD; prints the id
  fault <export|*> <kind>      [--nth N] [--match TEXT] [--hresult 0x...] [--ms N]
                               kinds: fail fail-after delay late hang hang-after kill kill-after
                               restart restart-after reboot reboot-after
  clear-faults | clear-calls | clear-handles
  set <json>                   settings, such as '{"ignoreCallerIds":true}'
  restart | reboot | reset | stop

  --address HOST:PORT          default: HNS_EMULATOR_ADDRESS, else ${DEFAULT_ADDRESS}
  -o, --output json|table
`;

interface Options {
  readonly nth?: string | undefined;
  readonly match?: string | undefined;
  readonly hresult?: string | undefined;
  readonly ms?: string | undefined;
}

type Command = (client: EmulatorClient, words: readonly string[], options: Options) => Promise<unknown>;

class UsageError extends Error {}

const COMMANDS: Readonly<Record<string, Command>> = {
  status: (client) => client.status(),
  networks: (client) => client.networks(),
  endpoints: (client) => client.endpoints(),
  namespaces: (client) => client.namespaces(),
  calls: (client) => client.calls(),
  counts: (client) => client.counts(),
  handles: (client) => client.handles(),
  faults: (client) => client.faults(),
  "create-namespace": async (client) => ({ id: await client.createNamespace() }),
  fault: (client, words, options) => client.addFault(readFault(words, options)),
  "clear-faults": (client) => client.clearFaults(),
  "clear-calls": (client) => client.clearCalls(),
  "clear-handles": (client) => client.clearHandles(),
  set: (client, words) => client.set(readJson(words[0])),
  restart: (client) => client.restart(),
  reboot: (client) => client.reboot(),
  reset: (client) => client.reset(),
  stop: (client) => client.stop(),
};

/** The columns people see; -o json shows everything. */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  networks: ["id", "name", "type", "adapter", "subnets"],
  endpoints: ["id", "name", "networkName", "addresses", "mac", "namespace", "hostCompartment"],
  namespaces: ["id", "compartment", "endpoints"],
  calls: ["sequence", "pid", "name", "hresult", "fault", "args"],
  handles: ["pid", "kind", "id", "handle"],
  faults: ["id", "call", "kind", "nth", "seen", "match", "hresult", "ms"],
};

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      address: { type: "string", default: process.env["HNS_EMULATOR_ADDRESS"] ?? DEFAULT_ADDRESS },
      output: { type: "string", short: "o", default: "table" },
      port: { type: "string" },
      nth: { type: "string" },
      match: { type: "string" },
      hresult: { type: "string" },
      ms: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const [name, ...words] = positionals;
  if (values.help) return say(USAGE, 0);
  if (name === "start") return await start(values.port);
  const command = findCommand(name);
  if (values.output !== "json" && values.output !== "table") throw new UsageError("-o takes json or table");
  const client = await EmulatorClient.connect(values.address);
  try {
    const value = await command(client, words, values);
    return say(values.output === "json" ? `${JSON.stringify(value, null, 2)}\n` : formatTable(value, COLUMNS[name ?? ""]), 0);
  } finally {
    await client.close();
  }
}

function findCommand(name: string | undefined): Command {
  if (name === undefined) throw new UsageError("a command is missing");
  const command = COMMANDS[name];
  if (command === undefined) throw new UsageError(`no command "${name}"`);
  return command;
}

async function start(port: string | undefined): Promise<number> {
  const script = join(process.cwd(), "test/emulator/main.ts");
  const child = spawn(findNode(), [script, ...(port === undefined ? [] : ["--port", port])], { stdio: "inherit" });
  return await new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
}

function readFault([call, kind]: readonly string[], options: Options): FaultSpec {
  if (call === undefined || kind === undefined) throw new UsageError("fault needs an export's name and a kind");
  return {
    call,
    // The emulator checks it and names the kinds there are.
    kind: kind as FaultKind,
    ...(options.nth === undefined ? {} : { nth: Number(options.nth) }),
    ...(options.match === undefined ? {} : { match: options.match }),
    ...(options.hresult === undefined ? {} : { hresult: Number(options.hresult) }),
    ...(options.ms === undefined ? {} : { ms: Number(options.ms) }),
  };
}

function readJson(text: string | undefined): object {
  const value: unknown = JSON.parse(text ?? "null");
  if (typeof value !== "object" || value === null) throw new UsageError("set needs a JSON object");
  return value;
}

function say(text: string, code: number): number {
  process.stdout.write(text);
  return code;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (thrown: unknown) => {
    const isUsage =
      thrown instanceof UsageError || (thrown instanceof Error && "code" in thrown && String(thrown.code).startsWith("ERR_PARSE_ARGS"));
    process.stderr.write(`hns-emulator: ${thrown instanceof Error ? thrown.message : String(thrown)}\n${isUsage ? USAGE : ""}`);
    process.exitCode = isUsage ? 2 : 1;
  },
);
