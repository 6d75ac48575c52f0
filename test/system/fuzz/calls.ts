import { mutateBytes, mutateDocument, mutateText } from "./mutate-json.ts";
import type { Random } from "./random.ts";

/** One call of the plugin. */
export interface FuzzCall {
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: Uint8Array;
}

/** What calls are about: the pods of a node, with the last result of each, under network and container, where there is one. */
export interface FuzzPods {
  readonly namespaces: readonly string[];
  readonly results: Map<string, Readonly<Record<string, unknown>>>;
}

const VERSIONS = ["1.1.0", "1.1.0", "1.1.0", "1.0.0", "0.4.0", "0.3.1", "0.2.0", "0.1.0"];
const COMMANDS = ["ADD", "ADD", "ADD", "DEL", "DEL", "CHECK", "CHECK", "GC", "STATUS", "VERSION"];

/** A call that a runtime could make, and most of them changed in one to four places. */
export function makeCall(random: Random, pods: FuzzPods): FuzzCall {
  const pod = random.below(pods.namespaces.length);
  const env: Record<string, string> = {
    CNI_COMMAND: random.pick(COMMANDS),
    CNI_CONTAINERID: `c${pod}`,
    CNI_NETNS: pods.namespaces[pod] ?? "",
    CNI_IFNAME: random.chance(95) ? "eth0" : "eth1",
    CNI_PATH: "/opt/cni/bin",
    CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-${pod};K8S_POD_INFRA_CONTAINER_ID=c${pod}`,
  };
  const document = makeDocument(random, pods, env);
  const stdin = mutate(random, document, env);
  // No environment holds a NUL, and the system takes no lone surrogates.
  for (const [name, value] of Object.entries(env)) env[name] = value.replaceAll("\0", "").toWellFormed();
  return { env, stdin };
}

/** Changes `env`, and gives the bytes of the document with its own changes. */
function mutate(random: Random, original: object, env: Record<string, string>): Uint8Array {
  let document: unknown = original;
  let changesBytes = false;
  const mutations = random.chance(15) ? 0 : 1 + random.below(4);
  for (let count = 0; count < mutations; count++) {
    const kind = random.below(10);
    if (kind < 6) document = mutateDocument(random, document);
    else if (kind < 8) mutateEnvironment(random, env);
    else if (kind < 9) env["CNI_ARGS"] = mutateText(random, env["CNI_ARGS"] ?? "");
    else changesBytes = true;
  }
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  return changesBytes ? mutateBytes(random, bytes) : bytes;
}

function makeDocument(random: Random, { results }: FuzzPods, env: Readonly<Record<string, string>>): object {
  const name = random.chance(85) ? "pods" : "pods2";
  const key = `${name} ${env["CNI_CONTAINERID"] ?? ""}`;
  const result = random.chance(80) ? results.get(key) : undefined;
  const runtimeConfig = {
    portMappings: [{ hostPort: 8000 + random.below(50), containerPort: 80, protocol: "tcp" }],
    dns: { servers: ["10.96.0.10"] },
  };
  return {
    cniVersion: result?.["cniVersion"] ?? random.pick(VERSIONS),
    name,
    type: "hns-cni",
    mode: "l2bridge",
    clusterCidrs: ["10.244.0.0/16"],
    serviceCidrs: ["10.96.0.0/12"],
    dns: { nameservers: ["10.96.0.10"], search: ["cluster.local"] },
    capabilities: { portMappings: true, dns: true },
    ipam: { type: "hns-cni", cidr: name === "pods" ? "10.244.3.0/24" : "10.244.4.0/26" },
    ...(random.chance(30) ? { runtimeConfig } : {}),
    ...(result === undefined ? {} : { prevResult: structuredClone(result) }),
    ...(env["CNI_COMMAND"] === "GC" ? { "cni.dev/valid-attachments": someAttachments(random) } : {}),
  };
}

function someAttachments(random: Random): object[] {
  const numbers = Array.from({ length: 20 }, (_, number) => number).filter(() => random.chance(80));
  return numbers.map((number) => ({ containerID: `c${number}`, ifname: "eth0" }));
}

function mutateEnvironment(random: Random, env: Record<string, string>): void {
  const name = random.pick(Object.keys(env));
  const value = env[name] ?? "";
  switch (random.below(4)) {
    case 0:
      Reflect.deleteProperty(env, name);
      break;
    case 1:
      env[name.toLowerCase()] = value;
      break;
    case 2:
      env[name] = random.pick(Object.values(env));
      break;
    default:
      env[name] = mutateText(random, value);
  }
}
