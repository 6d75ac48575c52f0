/** The words of the command line: nouns with their verbs. A test compares them with what the parser takes. */
export const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  agent: ["install", "uninstall", "start", "stop", "status", "logs"],
  attachment: ["list", "show"],
  completion: ["powershell", "bash"],
  config: ["validate", "show", "explain", "convert", "generate"],
  explain: [],
  ipam: ["show", "check", "release", "reclaim", "split", "capacity", "import"],
  network: ["list", "show", "prepare", "ensure", "repair", "delete"],
  reconcile: ["--dry-run"],
  "source-vip": [],
  status: [],
  topology: [],
  version: [],
};
