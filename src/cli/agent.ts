import type { Argv } from "yargs";
import type { LogFields } from "../core/base/log.ts";
import type { AgentStatus } from "../service/agent/admin-protocol.ts";
import { readAgentStatus } from "./agent-answers.ts";
import { outputOption, showCell, writeDocument } from "./output.ts";
import { type AgentService, CliError, type CliWorld, type ExitCode, type Run } from "./world.ts";

const STATE_DIR = { type: "string", describe: "folder of agent.log; the agent's own unless given" } as const;

/** Without one of these commands the program itself is the agent, in the foreground. */
export function addAgent(cli: Argv, run: Run): Argv {
  return cli.command("agent", "Be the node's agent in the foreground, or look after its service", (yargs) => {
    addService(yargs, run);
    addLooking(yargs, run);
    return yargs
      .option("config", { type: "string", describe: "agent.json; the usual one unless given" })
      .demandCommand(1, "say what to do with the agent: install, uninstall, start, stop, status or logs; without a word it runs here");
  });
}

function addService(yargs: Argv, run: Run): void {
  yargs
    .command(
      "install",
      "Make the agent a service that starts with Windows",
      (sub) =>
        sub
          .option("config", { type: "string", describe: "absolute path of agent.json; the usual one unless given" })
          .option("env", { type: "string", array: true, default: [] as string[], describe: "NAME=value for its environment" }),
      ({ config, env }) => run((world) => installAgent(world, config, env)),
    )
    .command(
      "uninstall",
      "Stop the service and take it away; state and pods stay as they are",
      (sub) => sub,
      () => run(uninstallAgent),
    )
    .command(
      "start",
      "Start the service",
      (sub) => sub,
      () => run(startAgent),
    )
    .command(
      "stop",
      "Stop the service, when the calls under way are done",
      (sub) => sub,
      () => run(stopAgent),
    );
}

function addLooking(yargs: Argv, run: Run): void {
  yargs
    .command(
      "status",
      "Say whether the agent runs, is ready, and reaches HNS",
      (sub) => sub.option("output", outputOption<"text">(["text"])),
      ({ output }) => run((world) => showAgent(world, output)),
    )
    .command(
      "logs",
      "Print the agent's log",
      (sub) =>
        sub
          .option("follow", { alias: "f", type: "boolean", default: false, describe: "go on with what is written from now on" })
          .option("lines", { alias: "n", type: "string", default: "50", describe: "how many of the last lines" })
          .option("state-dir", STATE_DIR)
          .option("output", { alias: "o", choices: ["text", "json"] as const, default: "text" as const, describe: "form of the lines" }),
      ({ follow, lines, stateDir, output }) => run((world) => showLog(world, { follow, lines, stateDir, output })),
    );
}

/** Throws CliError where there are no services of Windows. */
function getService(world: CliWorld): AgentService {
  const service = world.openService();
  if (service !== undefined) return service;
  const next = "run hns-cni agent in the foreground, or under this system's own service manager";
  throw new CliError("the agent is no service here", { why: "only Windows has its service manager", next });
}

/** Throws CliError for what cannot be used, and where there are no services of Windows. */
export function installAgent(world: CliWorld, config: string | undefined, variables: readonly string[]): ExitCode {
  const wrong = variables.find((entry) => !/^[^=]+=/.test(entry));
  if (wrong !== undefined) throw new CliError(`--env ${wrong} is not usable`, { why: "it is not NAME=value", next: "write NAME=value" });
  if (config !== undefined && !world.hasFile(config)) {
    throw new CliError(`--config ${config} is not usable`, { why: "there is no such file", next: "write the file first" });
  }
  const service = getService(world);
  const outcome = service.install({ config, variables });
  return say(world, `the service ${service.name} is ${outcome}; hns-cni agent start starts it now`);
}

export async function uninstallAgent(world: CliWorld): Promise<ExitCode> {
  const isGone = await getService(world).uninstall();
  return say(world, isGone ? "the agent is no service any more" : "the agent was no service");
}

export function startAgent(world: CliWorld): ExitCode {
  getService(world).start();
  return say(world, "the agent starts; hns-cni agent status tells when it is ready");
}

export async function stopAgent(world: CliWorld): Promise<ExitCode> {
  await getService(world).stop();
  return say(world, "the agent has stopped; plugins work alone until it is started again");
}

/** Exit code 1 when no agent is ready. Throws AGENT_SILENT. */
export async function showAgent(world: CliWorld, output: "text" | "json" | "yaml"): Promise<ExitCode> {
  const service = world.openService()?.state();
  const agent = await readAgentStatus(world);
  if (output === "text") writeAgent(world, service, agent);
  else writeDocument(world, { service: service ?? null, agent: agent ?? null }, output);
  return agent?.isReady === true ? 0 : 1;
}

function writeAgent(world: CliWorld, service: string | undefined, agent: AgentStatus | undefined): void {
  if (service !== undefined) world.writeOut(`service  ${service}\n`);
  if (agent === undefined) {
    world.writeOut("agent    none listens\n");
    return;
  }
  world.writeOut(`agent    ${agent.isReady ? "ready" : `not ready: ${agent.reason}`}\n`);
  world.writeOut(`process  ${agent.pid}, version ${showCell(agent.version)}, since ${agent.startedAt}\n`);
  world.writeOut(`calls    ${agent.running} under way, ${agent.abandoned} stuck in HNS; breaker ${agent.breaker.state}\n`);
}

export interface LogArguments {
  readonly follow: boolean;
  readonly lines: string;
  readonly stateDir: string | undefined;
  readonly output: "text" | "json";
}

/** Throws CliError where there is no log. */
export async function showLog(world: CliWorld, { follow, lines, stateDir, output }: LogArguments): Promise<ExitCode> {
  const path = world.joinPath(stateDir ?? world.defaultStateDir, "agent.log");
  if (!/^\d+$/.test(lines))
    throw new CliError(`--lines ${lines} is not usable`, { why: "it is no number", next: "write a number, such as 50" });
  if (!world.hasFile(path)) {
    throw new CliError(`no log at ${path}`, { why: "no agent has run with this folder", next: "name the folder with --state-dir" });
  }
  const all = world
    .readFile(path)
    .split("\n")
    .filter((line) => line !== "");
  const write = (line: string): void => world.writeOut(`${output === "json" ? line : formatLine(line)}\n`);
  for (const line of all.slice(Math.max(0, all.length - Number(lines)))) write(line);
  if (follow)
    await world.followFile(path, (text) =>
      text
        .split("\n")
        .filter((line) => line !== "")
        .forEach(write),
    );
  return 0;
}

/** One line for people: time, level, message, then the facts. */
function formatLine(line: string): string {
  let fields: LogFields;
  try {
    fields = JSON.parse(line) as LogFields;
  } catch {
    return showCell(line);
  }
  const { time, level, message, ...rest } = fields;
  const others = Object.entries(rest).filter(([name]) => name !== "pid");
  const facts = others.map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return showCell([String(time), String(level).padEnd(5), String(message), ...facts].join("  "));
}

function say(world: CliWorld, text: string): ExitCode {
  world.writeOut(`${text}\n`);
  return 0;
}
