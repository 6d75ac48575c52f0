/** One pod as a container runtime handles it: a namespace, and calls of the plugin for it. */
import { randomBytes } from "node:crypto";
import type { EmulatorClient } from "../../test/emulator/client.ts";
import { runPackaged, type ProgramResult } from "../../test/support/packaged.ts";
import { emulatorLibrary } from "../../test/support/paths.ts";
import { buildPluginInput, type ConfList, type JsonObject, type PluginObject } from "./conf-list.ts";
import { brief, formatCounts, say, showObjects } from "./show.ts";

export type Command = "ADD" | "CHECK" | "DEL";

export interface Stage {
  readonly emulator: EmulatorClient;
  readonly list: ConfList;
  readonly plugin: PluginObject;
}

/** What the runtime keeps of a pod between calls. */
export interface Pod {
  readonly name: string;
  readonly containerId: string;
  readonly namespace: string;
  readonly runtimeConfig: JsonObject;
  /** The result of ADD, which CHECK and DEL get back. */
  result?: unknown;
  /** The endpoint that HNS held in the pod's namespace after ADD. */
  endpoint?: string;
}

export async function makePod(stage: Stage, name: string, hostPort: number): Promise<Pod> {
  const namespace = await stage.emulator.createNamespace();
  const portMappings = [{ hostPort, containerPort: 80, protocol: "tcp" }];
  return { name, containerId: randomBytes(32).toString("hex"), namespace, runtimeConfig: { portMappings } };
}

/** Calls the plugin and shows the call, its answer and what it did to HNS. */
export async function callPlugin(stage: Stage, pod: Pod, command: Command): Promise<ProgramResult> {
  const call = { runtimeConfig: pod.runtimeConfig, ...(command === "ADD" ? {} : { prevResult: pod.result }) };
  const stdin = JSON.stringify(buildPluginInput(stage.list, stage.plugin, call));
  const variables = {
    CNI_COMMAND: command,
    CNI_CONTAINERID: pod.containerId,
    CNI_NETNS: pod.namespace,
    CNI_IFNAME: "eth0",
    CNI_PATH: "/opt/cni/bin",
    CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod.name};K8S_POD_INFRA_CONTAINER_ID=${pod.containerId}`,
  };
  say(
    `$ CNI_COMMAND=${command} CNI_CONTAINERID=${brief(pod.containerId)} CNI_NETNS=${brief(pod.namespace)} CNI_IFNAME=eth0 hns-cni < conf.json`,
  );
  await stage.emulator.clearCalls();
  const start = performance.now();
  const env = { ...variables, HNS_CNI_HCN_LIBRARY: emulatorLibrary, HNS_EMULATOR_ADDRESS: stage.emulator.address };
  const result = await runPackaged({ env, stdin });
  const ms = Math.round(performance.now() - start);
  say(
    `exit code ${result.code ?? result.signal} after ${ms} ms${result.stdout === "" ? ", nothing on stdout (as the specification says)" : ""}`,
  );
  if (result.stdout !== "") say(indent(pretty(result.stdout)));
  if (result.code !== 0 && result.stderr !== "") say(indent(result.stderr));
  say(formatCounts(await stage.emulator.counts()));
  await showObjects(stage.emulator);
  if (command === "ADD" && result.code === 0) pod.result = JSON.parse(result.stdout);
  return result;
}

/** The addresses in a pod's result, with prefix. */
export function addressesOf(pod: Pod): string[] {
  const { ips = [] } = (pod.result ?? {}) as { ips?: readonly { address: string }[] };
  return ips.map(({ address }) => address);
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // shown as it came: the verdict names the fault
  }
}

function indent(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, "  ");
}
