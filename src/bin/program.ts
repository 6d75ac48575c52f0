import { runAdmin } from "./cli.ts";
import type { runAgent as Run } from "./agent.ts";
import { loadAsset } from "./assets.ts";
import { runCni } from "./cni.ts";

/**
 * Any CNI_* variable means that a runtime calls; a missing command is then its error, told in its protocol.
 * Resolves to true when all is written and process.exitCode set, to false when the process ends by itself, as after a command line.
 */
export async function runProgram(): Promise<boolean> {
  if (Object.keys(process.env).some((name) => /^CNI_/i.test(name))) {
    await runCni();
    return true;
  }
  const [noun, ...rest] = process.argv.slice(2);
  await (noun === "agent" && (rest[0] ?? "--").startsWith("--") && !rest.includes("--help") ? runAgent(rest) : runAdmin());
  return false;
}

/** The agent, which the executable carries apart. */
function runAgent(args: readonly string[]): Promise<void> {
  // What this build's src/bin/agent.ts exports.
  const agent = loadAsset("agent") as { runAgent: typeof Run };
  return agent.runAgent(args);
}
