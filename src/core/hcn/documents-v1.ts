import { PluginError } from "../base/errors.ts";
import { findGuid, findMac, type Guid, type Mac } from "../base/ids.ts";

/**
 * An endpoint as the version 1 interface describes it. Version 1 is used for this because one call, `GET /endpoints/`, tells all of
 * them, where version 2 takes three calls an endpoint.
 */
export interface EndpointSummary {
  readonly id: Guid;
  readonly name: string;
  readonly network: Guid | undefined;
  readonly address: string;
  readonly prefixLength: number | undefined;
  /** All addresses, of both families. */
  readonly addresses: readonly string[];
  readonly mac: Mac | undefined;
  /** The namespace it is in; undefined for one in none, and where HNS does not say. */
  readonly namespace: Guid | undefined;
  /** It stands for an endpoint of another node. */
  readonly isRemote: boolean;
}

/** Throws HNS_REFUSED when the answer is no list. Entries without an id are passed over. */
export function parseEndpointList(answer: unknown): EndpointSummary[] {
  const list = answer === undefined || answer === null ? [] : answer;
  if (!Array.isArray(list)) {
    throw new PluginError("HNS_REFUSED", {
      message: "HNS did not answer with a list of endpoints",
      remedy: "report this with the log file",
    });
  }
  return list.map(parseSummary).filter((entry) => entry !== undefined);
}

function parseSummary(value: unknown): EndpointSummary | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(value));
  const text = (key: string): string => {
    const found = fields.get(key);
    return typeof found === "string" ? found : "";
  };
  const id = findGuid(text("ID"));
  if (id === undefined) return undefined;
  const prefixLength = fields.get("PrefixLength");
  return {
    id,
    name: text("Name"),
    network: findGuid(text("VirtualNetwork")),
    address: text("IPAddress"),
    prefixLength: typeof prefixLength === "number" ? prefixLength : undefined,
    addresses: [text("IPAddress"), text("IPv6Address")].filter((address) => address !== ""),
    mac: findMac(text("MacAddress")),
    namespace: parseNamespace(fields.get("Namespace")),
    isRemote: fields.get("IsRemoteEndpoint") === true,
  };
}

/** Whether version 1's description of an endpoint names containers that have it. */
export function hasContainers(answer: unknown): boolean {
  const list: unknown = typeof answer === "object" && answer !== null && "SharedContainers" in answer ? answer.SharedContainers : undefined;
  return Array.isArray(list) && list.length > 0;
}

function parseNamespace(value: unknown): Guid | undefined {
  const id = typeof value === "object" && value !== null && "ID" in value ? value.ID : undefined;
  const namespace = typeof id === "string" ? findGuid(id) : undefined;
  return namespace === undefined || /^[0-]+$/.test(namespace) ? undefined : namespace;
}

/** The node's own address on a network, as the version 1 description has it; undefined while there is none. */
export function findManagementIp(answer: unknown): string | undefined {
  const value: unknown = typeof answer === "object" && answer !== null && "ManagementIP" in answer ? answer.ManagementIP : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
}
