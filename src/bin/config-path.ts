import { join } from "node:path";

/** Where the agent's configuration lies when it is not named. */
export function defaultConfigPath(env: NodeJS.ProcessEnv): string {
  const folder = process.platform === "win32" ? join(env["ProgramData"] ?? "C:\\ProgramData", "hns-cni") : "/etc/hns-cni";
  return join(folder, "agent.json");
}
