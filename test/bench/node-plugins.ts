/** Our programs as plugins of nodes for benchmarks: the main program that works alone, and the shim with an agent behind it. */
import { buildVariables, type CniNode, type Pod } from "../support/cni-node.ts";
import type { PluginUnderTest } from "./pod-calls.ts";

export const ALONE = "standalone";
export const BY_AGENT = "shim and agent";

export interface NodeProgram {
  readonly name: string;
  readonly node: CniNode;
  /** As the launcher's system spells paths. */
  readonly program: string;
  /** Beside the CNI_* variables. */
  readonly env: Readonly<Record<string, string>>;
}

export function buildNodePlugin({ name, node, program, env }: NodeProgram): PluginUnderTest<Pod> {
  return {
    name,
    makePod: () => node.makePod(),
    buildCall: (command, pod) => ({
      program,
      env: { ...env, ...buildVariables(command, pod) },
      stdin: JSON.stringify(node.buildInput({}, pod.runtimeConfig)),
    }),
  };
}
