import { findIp } from "../base/ip.ts";
import type { IpAddress } from "../base/ip.ts";
import { isJsonObject, type JsonObject } from "../cni/json.ts";
import { buildFault } from "./faults.ts";
import type { Fault } from "./faults.ts";
import type { PortMapping, Protocol } from "../policy/port-mapping.ts";
import type { DnsConfig } from "./plugin-config.ts";
import { findServerFaults } from "./semantic-faults.ts";

const PROTOCOLS: readonly Protocol[] = ["tcp", "udp", "sctp"];

/** One entry of runtimeConfig.portMappings: what could be read, and what could not. */
interface ReadMapping {
  readonly path: string;
  readonly raw: JsonObject;
  readonly mapping: PortMapping;
  readonly faults: readonly Fault[];
}

/** Faults of what the runtime injected that a schema cannot tell. */
export function findRuntimeFaults(document: JsonObject): Fault[] {
  const runtime = isJsonObject(document["runtimeConfig"]) ? document["runtimeConfig"] : {};
  const dns = isJsonObject(runtime["dns"]) ? runtime["dns"] : {};
  const mappings = readMappings(runtime["portMappings"]);
  return [
    ...mappings.flatMap(({ faults }) => faults),
    ...findDuplicates(mappings.filter(({ faults }) => faults.length === 0)),
    ...findServerFaults(dns["servers"], "runtimeConfig.dns.servers"),
  ];
}

/** The mappings of a document without faults. */
export function buildPortMappings(list: readonly unknown[]): PortMapping[] {
  return readMappings(list).map(({ mapping }) => mapping);
}

/** The network's DNS settings with the pod's put over them: each list that is not empty replaces its counterpart. */
export function mergeDns(
  network: DnsConfig,
  pod: { readonly servers: readonly string[]; readonly searches: readonly string[]; readonly options: readonly string[] },
): DnsConfig {
  const choose = (own: readonly string[], general: readonly string[]): readonly string[] => (own.length > 0 ? own : general);
  return {
    nameservers: choose(pod.servers, network.nameservers),
    ...(network.domain === undefined || network.domain === "" ? {} : { domain: network.domain }),
    search: choose(pod.searches, network.search),
    options: choose(pod.options, network.options),
  };
}

/** An entry without a host port, or with 0, maps nothing and is passed over whatever else it says. */
function readMappings(list: unknown): ReadMapping[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((raw: unknown, index) => {
    if (!isJsonObject(raw) || (raw["hostPort"] ?? 0) === 0) return [];
    return [readMapping(raw, `runtimeConfig.portMappings[${index}]`)];
  });
}

function readMapping(raw: JsonObject, path: string): ReadMapping {
  const faults: Fault[] = [];
  const protocol = readProtocol(raw["protocol"], `${path}.protocol`, faults);
  const hostIp = readHostIp(raw["hostIP"], `${path}.hostIP`, faults);
  const mapping = {
    hostPort: readPort(raw["hostPort"], `${path}.hostPort`, faults),
    containerPort: readPort(raw["containerPort"], `${path}.containerPort`, faults),
    protocol,
    ...(hostIp === undefined ? {} : { hostIp }),
  };
  return { path, raw, mapping, faults };
}

function readPort(value: unknown, path: string, faults: Fault[]): number {
  if (value === undefined) faults.push({ path, problem: "is missing", remedy: buildFault(path, value, "").remedy });
  if (typeof value !== "number" || !Number.isInteger(value)) return 0;
  if (value < 1 || value > 65535) faults.push(buildFault(path, value, "is no port"));
  return value;
}

function readProtocol(value: unknown, path: string, faults: Fault[]): Protocol {
  if (typeof value !== "string" || value === "") return "tcp";
  const protocol = PROTOCOLS.find((known) => known === value.toLowerCase());
  if (protocol === undefined) faults.push(buildFault(path, value, "is no protocol that can be mapped"));
  return protocol ?? "tcp";
}

/** Empty and unspecified addresses mean every address of the node. */
function readHostIp(value: unknown, path: string, faults: Fault[]): IpAddress | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  const ip = findIp(value);
  if (ip !== undefined && Number(ip.value) === 0) return undefined;
  if (ip === undefined) faults.push(buildFault(path, value, "is no IP address"));
  return ip;
}

function findDuplicates(mappings: readonly ReadMapping[]): Fault[] {
  return mappings.flatMap((later, index) => {
    const earlier = mappings.slice(0, index).find(({ mapping }) => collides(mapping, later.mapping));
    if (earlier === undefined) return [];
    const problem = `takes the same port of the node as ${earlier.path} (${later.mapping.protocol})`;
    return [buildFault(`${later.path}.hostPort`, later.mapping.hostPort, problem, "give each mapping a host port of its own")];
  });
}

function collides(left: PortMapping, right: PortMapping): boolean {
  if (left.hostPort !== right.hostPort || left.protocol !== right.protocol) return false;
  const [one, other] = [left.hostIp, right.hostIp];
  return one === undefined || other === undefined || (one.family === other.family && one.value === other.value);
}
