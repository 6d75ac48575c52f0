/** One pod's life with the plugin that a configuration is for, and with ours. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { EmulatedEndpoint, EmulatorClient } from "../emulator/client.ts";
import { type DropInConf, POD_SUBNET } from "./drop-in-confs.ts";
import { ABSENT, type FieldDifference } from "./drop-in-differences.ts";
import { type ConfList, type RuntimeAnswer, type RuntimeCall, type RuntimeHost, toWindowsPath } from "./runtime-host.ts";

/** What is compared, by path: texts as they are, all else as JSON, and of the policies those of a type together. */
export type Fields = ReadonlyMap<string, string>;

export interface PodLife {
  /** ADDs that failed before the one that did not, each for a pod of its own. */
  readonly failedAdds: readonly string[];
  /** The endpoint as HNS holds it after ADD, and the result that the runtime was given. */
  readonly fields: Fields;
  readonly check: RuntimeAnswer;
  readonly del: RuntimeAnswer;
  /** Names of pods' endpoints after DEL. */
  readonly left: readonly string[];
  readonly openHandles: number;
}

interface Pod {
  readonly containerId: string;
  readonly netns: string;
}

/** Which program runs, and the folder of its addresses and state as a Linux path: Wine's folders are those of every test. */
export interface LifeOptions {
  readonly type: string;
  readonly folder: string;
}

/**
 * Runs ADD, CHECK and DEL through libcni on a node that is new but for the HNS network. A failed ADD is followed by DEL and by the ADD of
 * another pod, as kubelet has it. Throws when that fails too.
 */
export async function runLife(host: RuntimeHost, conf: DropInConf, options: LifeOptions): Promise<PodLife> {
  const { emulator } = host;
  await emulator.reset();
  host.loseCache();
  const network = await makeNetwork(emulator, conf);
  host.writeConf(buildList(conf, options));
  const call = (command: RuntimeCall["command"], pod: Pod): Promise<RuntimeAnswer> =>
    host.call("libcni", { command, ...pod, libcni: { network: conf.network, ifname: "eth0", capabilities: conf.capabilities } });
  const makePod = async (): Promise<Pod> => {
    const isOld = conf.apiVersion === 1 && options.type === conf.plugin;
    return { containerId: randomBytes(32).toString("hex"), netns: isOld ? "none" : await emulator.createNamespace() };
  };
  const { pod, added, failedAdds } = await addPod(call, makePod);
  const [endpoint, more] = await listPodEndpoints(emulator, conf);
  if (endpoint === undefined || more !== undefined) throw new Error(`ADD of ${options.type} did not make one endpoint`);
  const fields = readFields(endpoint, added.result, new Map([...describeIds(endpoint, pod), [network, "{network}"]]));
  const [check, del] = [await call("CHECK", pod), await call("DEL", pod)];
  const left = (await listPodEndpoints(emulator, conf)).map(({ name }) => name);
  return { failedAdds, fields, check, del, left, openHandles: (await emulator.handles()).length };
}

async function addPod(
  call: (command: RuntimeCall["command"], pod: Pod) => Promise<RuntimeAnswer>,
  makePod: () => Promise<Pod>,
): Promise<{ pod: Pod; added: RuntimeAnswer; failedAdds: string[] }> {
  const failedAdds: string[] = [];
  for (;;) {
    const pod = await makePod();
    const added = await call("ADD", pod);
    if (added.error === undefined) return { pod, added, failedAdds };
    failedAdds.push(added.error.message);
    await call("DEL", pod);
    if (failedAdds.length > 1) throw new Error(`ADD failed: ${failedAdds.join("; ")}`);
  }
}

/** What differs, by field, in the order of the fields' names. */
export function compareFields(theirs: Fields, ours: Fields): FieldDifference[] {
  const names = [...new Set([...theirs.keys(), ...ours.keys()])].sort();
  return names
    .map((field) => ({ field, theirs: theirs.get(field) ?? ABSENT, ours: ours.get(field) ?? ABSENT }))
    .filter((one) => one.theirs !== one.ours);
}

/** `stateDir` is the one key beside `type` that differs from node to node here; the reference plugins pass it over. */
function buildList({ cniVersion, network, conf }: DropInConf, { type, folder }: LifeOptions): ConfList {
  const ipam = { ...(conf["ipam"] as object), dataDir: toWindowsPath(join(folder, "addresses")) };
  return { cniVersion, name: network, plugins: [{ type, ...conf, ipam, stateDir: toWindowsPath(join(folder, "state")) }] };
}

/** As flanneld makes them: host-gw an l2bridge network with the endpoint .2 of the node, vxlan an overlay network. Gives the id. */
async function makeNetwork(emulator: EmulatorClient, conf: DropInConf): Promise<string> {
  const subnet = { IpAddressPrefix: POD_SUBNET, Routes: [{ NextHop: "10.244.3.1", DestinationPrefix: "0.0.0.0/0" }] };
  const vsid = { Policies: [{ Type: "VSID", Settings: { Type: "VSID", IsolationId: 4096 } }] };
  if (conf.plugin === "win-overlay") {
    const ipams = [{ Type: "Static", Subnets: [{ ...subnet, ...vsid }] }];
    return (await emulator.createNetwork({ Name: conf.network, Type: "Overlay", Flags: 8, Ipams: ipams })).ID;
  }
  const { ID } = await emulator.createNetwork({ Name: conf.network, Type: "L2Bridge", Ipams: [{ Type: "Static", Subnets: [subnet] }] });
  await emulator.createEndpoint(ID, { Name: hostEndpointOf(conf), IpConfigurations: [{ IpAddress: "10.244.3.2" }] });
  return ID;
}

function hostEndpointOf({ network }: DropInConf): string {
  return `${network}_ep`;
}

async function listPodEndpoints(emulator: EmulatorClient, conf: DropInConf): Promise<EmulatedEndpoint[]> {
  return (await emulator.endpoints()).filter(({ name }) => name !== hostEndpointOf(conf));
}

/** What differs from run to run, and the word for it. */
function describeIds({ id, name, mac }: EmulatedEndpoint, pod: Pod): [string, string][] {
  return [
    [name, "{endpoint's name}"],
    [pod.containerId, "{container}"],
    [pod.netns, "{namespace}"],
    [id, "{endpoint}"],
    [mac, "{MAC}"],
    [mac.replaceAll("-", ":").toLowerCase(), "{mac:with:colons}"],
  ];
}

interface Flattening {
  readonly words: ReadonlyMap<string, string>;
  readonly fields: Map<string, string>;
}

function readFields(endpoint: EmulatedEndpoint, result: unknown, words: ReadonlyMap<string, string>): Fields {
  const { Policies: policies, ...rest } = endpoint.document;
  const into = { words, fields: new Map<string, string>() };
  // A MAC address that HNS chose differs from run to run, one with a prefix does not.
  into.fields.set("endpoint.MacAddress (start)", endpoint.mac.slice(0, 5).toUpperCase());
  flattenPolicies(policies, into);
  flatten(rest, "endpoint", into);
  flatten(result, "result", into);
  return into.fields;
}

/** One field a type, so that a policy too many is one difference; their order is a field of its own. */
function flattenPolicies(policies: unknown, { fields }: Flattening): void {
  const list = (Array.isArray(policies) ? policies : []) as { Type: string; Settings: object }[];
  for (const type of new Set(list.map(({ Type }) => Type))) {
    const settings = list.filter(({ Type }) => Type === type).map(({ Settings }) => JSON.stringify(Settings));
    fields.set(`endpoint.Policies ${type}`, settings.sort().join(" and "));
  }
  fields.set("endpoint.Policies (order)", list.map(({ Type }) => Type).join(", ") || "none");
}

function flatten(value: unknown, path: string, into: Flattening): void {
  if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) flatten(item, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`, into);
    return;
  }
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const named = [...into.words].reduce((known, [id, word]) => known.replaceAll(new RegExp(escapePattern(id), "gi"), word), text);
  into.fields.set(path, named);
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
