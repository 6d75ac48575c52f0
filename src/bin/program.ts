import { runAdmin } from "./cli.ts";
import type { runAgent as Run } from "./agent.ts";
import { loadAsset } from "./assets.ts";
import { runCni } from "./cni.ts";

/** Any CNI_* variable means that a runtime calls; a missing command is then its error, told in its protocol. */
export function runProgram(): Promise<void> {
  if (Object.keys(process.env).some((name) => /^CNI_/i.test(name))) return runCni();
  const [noun, ...rest] = process.argv.slice(2);
  return noun === "agent" && (rest[0] ?? "--").startsWith("--") && !rest.includes("--help") ? runAgent(rest) : runAdmin();
}

/** The agent, which the executable carries apart. */
function runAgent(args: readonly string[]): Promise<void> {
  // What this build's src/bin/agent.ts exports.
  const agent = loadAsset("agent") as { runAgent: typeof Run };
  return agent.runAgent(args);
}
