import type { Argv } from "yargs";
import { summariseNode } from "../service/agent/admin.ts";
import type { AgentStatus, NodeSummary } from "../service/agent/admin-protocol.ts";
import { readAgentStatus } from "./agent-answers.ts";
import { outputOption, showCell, writeDocument, writeTable } from "./output.ts";
import type { CliWorld, ExitCode, Run } from "./world.ts";

interface StatusArguments {
  readonly stateDir: string | undefined;
  readonly output: "text" | "wide" | "json" | "yaml";
}

export function addStatus(cli: Argv, run: Run): Argv {
  return cli.command(
    "status",
    "Show the node on one screen: agent, HNS, networks, pools, pods, last errors",
    (sub) =>
      sub
        .option("state-dir", { type: "string", describe: "folder of state.db where no agent runs; the product's own unless given" })
        .option("output", outputOption<"text" | "wide">(["text", "wide"])),
    ({ stateDir, output }) => run((world) => showStatus(world, { stateDir, output })),
  );
}

/** Exit code 1 when something needs an operator: an agent that is not ready, a breaker that is not closed. Throws AGENT_SILENT. */
export async function showStatus(world: CliWorld, { stateDir, output }: StatusArguments): Promise<ExitCode> {
  const agent = await readAgentStatus(world);
  const folder = agent?.stateDir ?? stateDir ?? world.defaultStateDir;
  const node = agent?.node ?? readNode(world, folder);
  const facts: Facts = { agent, folder, node, service: world.openService()?.state() };
  write(world, facts, output);
  return agent === undefined || isWell(agent) ? 0 : 1;
}

function isWell({ isReady, breaker }: AgentStatus): boolean {
  return isReady && breaker.state === "closed";
}

function write(world: CliWorld, facts: Facts, output: StatusArguments["output"]): void {
  if (output === "json" || output === "yaml") writeDocument(world, viewFacts(facts), output);
  else writeScreen(world, facts, output === "wide");
}

interface Facts {
  readonly agent: AgentStatus | undefined;
  readonly folder: string;
  readonly node: NodeSummary | undefined;
  readonly service: string | undefined;
}

function viewFacts({ agent, folder, node, service }: Facts): object {
  return { service: service ?? null, agent: agent ?? null, stateDir: folder, node: node ?? null };
}

function writeScreen(world: CliWorld, { agent, folder, node, service }: Facts, isWide: boolean): void {
  writeTop(world, agent, service);
  writeNode(world, node, folder);
  if (agent !== undefined) writeLook(world, agent, isWide);
}

function readNode(world: CliWorld, folder: string): NodeSummary | undefined {
  if (!world.hasState(folder)) return undefined;
  const store = world.openState(folder);
  try {
    return store.read(summariseNode);
  } finally {
    store.close();
  }
}

function writeTop(world: CliWorld, agent: AgentStatus | undefined, service: string | undefined): void {
  const serviceText = service === undefined ? "" : ` (service ${service})`;
  if (agent === undefined) {
    world.writeOut(`agent     none listens${serviceText}: plugins work alone, and this is read from the state\n`);
    return;
  }
  const ready = agent.isReady ? "ready" : `NOT READY: ${agent.reason}`;
  world.writeOut(`agent     ${ready}${serviceText}, version ${showCell(agent.version)}, process ${agent.pid}, since ${agent.startedAt}\n`);
  world.writeOut(`calls     ${agent.running} under way, ${agent.abandoned} stuck in HNS\n`);
  world.writeOut(`HNS       ${describeBreaker(agent)}${agent.hnsStart === "" ? "" : `, run ${showCell(agent.hnsStart)}`}\n`);
}

function describeBreaker({ breaker }: AgentStatus): string {
  return breaker.state === "closed" ? "answers" : `HANGS: tried again in ${Math.ceil(breaker.restMs / 1000)} s`;
}

function writeNode(world: CliWorld, node: NodeSummary | undefined, folder: string): void {
  if (node === undefined) {
    world.writeOut(`state     none in ${folder} yet: no pod has been attached\n`);
    return;
  }
  const phases = Object.entries(node.attachments).map(([phase, count]) => `${count} ${phase}`);
  world.writeOut(`pods      ${phases.length === 0 ? "none" : phases.join(", ")}\n`);
  world.writeOut(`state     ${folder}\n\n`);
  const networks = node.networks.map(({ name, id, isOurs, hnsVersion }) =>
    [name, id, isOurs ? "ours" : "others'", hnsVersion].map(showCell),
  );
  if (networks.length > 0) writeTable(world, ["network", "id", "made by", "hns"], networks);
  const pools = node.pools.map((pool) => [showCell(pool.id), ...[pool.free, pool.assigned, pool.cooling, pool.quarantined].map(String)]);
  if (pools.length > 0) {
    world.writeOut("\n");
    writeTable(world, ["pool", "free", "assigned", "cooling", "quarantined"], pools);
  }
}

/** Errors that one screen has room for. */
const SHOWN = 5;

function writeLook(world: CliWorld, { reconcile, errors }: AgentStatus, isWide: boolean): void {
  if (reconcile !== undefined) {
    world.writeOut(`\nlast look at HNS ${reconcile.at}: ${reconcile.entries.length === 0 ? "all as it should be" : ""}\n`);
    for (const { action, outcome, network, subject, detail } of reconcile.entries) {
      world.writeOut(`  ${showCell(`${action} ${outcome}: ${network} ${subject} ${detail}`)}\n`);
    }
  }
  if (errors.length === 0) return;
  world.writeOut("\nlast errors\n");
  for (const { time, message, fields } of isWide ? errors : errors.slice(-SHOWN)) {
    const facts = isWide ? ` ${JSON.stringify(fields)}` : describeError(fields["error"]);
    world.writeOut(`  ${showCell(`${time} ${message}${facts}`)}\n`);
  }
}

function describeError(error: unknown): string {
  return typeof error === "object" && error !== null && "message" in error ? `: ${String(error.message)}` : "";
}
