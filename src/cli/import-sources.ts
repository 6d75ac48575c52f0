import { addressAt, findCidr, findIp, formatIp } from "../core/base/ip.ts";
import { isJsonObject, type JsonObject } from "../core/cni/json.ts";
import { CliError, type CliWorld, readInput } from "./world.ts";

/** One address as another IPAM has recorded it. */
export interface ForeignAddress {
  readonly address: string;
  /** Absent for what no container has: it is kept from everybody. */
  readonly container?: { readonly id: string; readonly ifname: string };
  /** Where it was found, for people. */
  readonly from: string;
}

export const SOURCES = ["host-local", "azure-vnet", "azure-endpoints", "calico-blocks"] as const;
export type Source = (typeof SOURCES)[number];

/** Everything the other IPAM has given out here. Throws one CliError that names file, field and remedy for what cannot be right. */
export function readSource(world: CliWorld, source: Source, request: { path: string; node: string | undefined }): ForeignAddress[] {
  const { path, node } = request;
  switch (source) {
    case "host-local":
      return readHostLocal(world, path);
    case "azure-vnet":
      return readAzureVnet(readJson(world, path), path);
    case "azure-endpoints":
      return readAzureEndpoints(readJson(world, path), path);
    case "calico-blocks":
      return readCalicoBlocks(readJson(world, path), { path, node });
  }
}

/** host-local's folder of one network: a file an address, holding the container's id and, on a second line, the interface. */
function readHostLocal(world: CliWorld, folder: string): ForeignAddress[] {
  const names = listFolder(world, folder).filter((name) => name !== "lock" && !name.startsWith("last_reserved_ip"));
  return names.map((name) => {
    const path = world.joinPath(folder, name);
    // On Windows the colons of IPv6 addresses are underlines.
    const address = name.replaceAll("_", ":");
    if (findIp(address) === undefined) {
      throw malformed(path, { field: "its name", why: "is no IP address", remedy: "name host-local's folder of one network" });
    }
    const [id = "", ifname = "eth0"] = readInput(world, path)
      .trim()
      .split(/\r?\n/)
      .map((line) => line.trim());
    const remedy = "find the pod that has the address and write its container id there, or delete the file when none has it";
    if (id === "") throw malformed(path, { field: "line 1", why: "holds no container id", remedy });
    return { address, container: { id, ifname }, from: path };
  });
}

/** azure-vnet.json: Network.ExternalInterfaces.*.Networks.*.Endpoints.*, with Go's form of networks. */
function readAzureVnet(document: JsonObject, path: string): ForeignAddress[] {
  const reader = new Reader(path);
  const network = reader.object(document, "Network", "");
  return reader.entries(network, "ExternalInterfaces", "Network").flatMap((external) =>
    reader.entries(external.value, "Networks", external.at).flatMap((one) =>
      reader.entries(one.value, "Endpoints", one.at).flatMap(({ key, value, at }) => {
        const id = reader.text(value, "ContainerID", at);
        const ifname = typeof value["IfName"] === "string" && value["IfName"] !== "" ? value["IfName"] : key.slice(key.indexOf("-") + 1);
        return reader.addresses(value, "IPAddresses", at).map((address) => ({ address, container: { id, ifname }, from: at }));
      }),
    ),
  );
}

/** azure-endpoints.json: Endpoints.<container id>.IfnameToIPMap.<interface>, with IPv4 and IPv6. */
function readAzureEndpoints(document: JsonObject, path: string): ForeignAddress[] {
  const reader = new Reader(path);
  return reader.entries(document, "Endpoints", "").flatMap(({ key: id, value, at }) =>
    reader.entries(value, "IfnameToIPMap", at).flatMap((entry) => {
      const lists = ["IPv4", "IPv6"].filter((name) => entry.value[name] !== undefined && entry.value[name] !== null);
      const all = lists.flatMap((name) => reader.addresses(entry.value, name, entry.at));
      return all.map((address) => ({ address, container: { id, ifname: entry.key }, from: entry.at }));
    }),
  );
}

/** A list of Calico's IPAMBlock objects as kubectl prints it; allocations are indexes into attributes, or null. */
function readCalicoBlocks(document: JsonObject, { path, node }: { path: string; node: string | undefined }): ForeignAddress[] {
  const reader = new Reader(path);
  return reader.list(document, "items", "").flatMap(({ value: item, at: itemAt }) => {
    const spec = reader.object(item, "spec", itemAt);
    const at = `${itemAt}.spec`;
    if (node !== undefined && spec["affinity"] !== `host:${node}`) return [];
    const cidr = reader.text(spec, "cidr", at);
    const block = findCidr(cidr);
    if (block === undefined) throw malformed(path, { field: `${at}.cidr`, why: "is no network", remedy: REDUMP });
    const attributes = reader.list(spec, "attributes", at).map(({ value }) => value);
    const allocations: readonly unknown[] = Array.isArray(spec["allocations"]) ? spec["allocations"] : [];
    return allocations.flatMap((index, offset): ForeignAddress[] => {
      if (index === null) return [];
      const attribute = typeof index === "number" ? attributes[index] : undefined;
      const field = `${at}.allocations[${offset}]`;
      if (attribute === undefined) throw malformed(path, { field, why: "names no entry of attributes", remedy: REDUMP });
      // At rest: nobody has it.
      if (attribute["releasedAt"] !== undefined && attribute["releasedAt"] !== null) return [];
      return buildCalico(formatIp(addressAt(block, offset)), attribute["handle_id"], field);
    });
  });
}

const REDUMP = "dump the blocks once more: kubectl get ipamblocks.crd.projectcalico.org -o json";

/** Handles are <name>.<container id> for pods; Windows' own addresses have one that is reserved here as well. */
function buildCalico(address: string, handle: unknown, from: string): ForeignAddress[] {
  if (handle === "windows-reserved-ipam-handle") return [];
  const id = typeof handle === "string" && /\.[0-9a-f]{12,}$/.test(handle) ? handle.slice(handle.lastIndexOf(".") + 1) : undefined;
  return [{ address, ...(id === undefined ? {} : { container: { id, ifname: "eth0" } }), from }];
}

interface Entry {
  readonly key: string;
  readonly value: JsonObject;
  /** Where it lies in the document. */
  readonly at: string;
}

/** Reads fields of a document of somebody else's, and says which one is wrong. */
class Reader {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  object(from: JsonObject, name: string, at: string): JsonObject {
    const value = from[name];
    if (isJsonObject(value)) return value;
    throw this.#fault(join(at, name), value === undefined ? "is missing" : "is no object");
  }

  /** The objects of an object; none where it is null, which is how Go writes an empty map. */
  entries(from: JsonObject, name: string, at: string): Entry[] {
    if (from[name] === null) return [];
    return Object.entries(this.object(from, name, at)).map(([key, value]) => this.#entry(key, value, join(join(at, name), key)));
  }

  list(from: JsonObject, name: string, at: string): Entry[] {
    const value = from[name];
    if (value === null) return [];
    if (!Array.isArray(value)) throw this.#fault(join(at, name), value === undefined ? "is missing" : "is no list");
    return value.map((item: unknown, index) => this.#entry(String(index), item, `${join(at, name)}[${index}]`));
  }

  text(from: JsonObject, name: string, at: string): string {
    const value = from[name];
    if (typeof value === "string" && value !== "") return value;
    throw this.#fault(join(at, name), value === undefined ? "is missing" : "is no text");
  }

  /** Addresses as texts, with or without a prefix length, or as objects with IP. */
  addresses(from: JsonObject, name: string, at: string): string[] {
    const list = from[name];
    if (list === null) return [];
    if (!Array.isArray(list)) throw this.#fault(join(at, name), list === undefined ? "is missing" : "is no list");
    return list.map((item: unknown, index) => {
      const text: unknown = isJsonObject(item) ? item["IP"] : item;
      const address = typeof text === "string" ? (text.split("/")[0] ?? "") : "";
      if (findIp(address) === undefined) throw this.#fault(`${join(at, name)}[${index}]`, "holds no IP address");
      return address;
    });
  }

  #entry(key: string, value: unknown, at: string): Entry {
    if (isJsonObject(value)) return { key, value, at };
    throw this.#fault(at, "is no object");
  }

  #fault(field: string, why: string): CliError {
    const remedy = "check that --from names the program that wrote the file, and that the file is whole";
    return malformed(this.#path, { field, why, remedy });
  }
}

function join(at: string, name: string): string {
  return at === "" ? name : `${at}.${name}`;
}

function readJson(world: CliWorld, path: string): JsonObject {
  const text = readInput(world, path).replace(/^\uFEFF/, "");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    const why = `is no JSON: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    throw malformed(path, { field: "the document", why, remedy: "take a whole copy of the file while its program does not write" });
  }
  if (isJsonObject(value)) return value;
  throw malformed(path, { field: "the document", why: "is no object", remedy: "check that --from names the program that wrote the file" });
}

function listFolder(world: CliWorld, folder: string): string[] {
  try {
    return world.listFiles(folder);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new CliError(`cannot read ${folder}`, {
      why,
      next: "name host-local's folder of the network, such as /var/lib/cni/networks/pods",
    });
  }
}

function malformed(path: string, { field, why, remedy }: { field: string; why: string; remedy: string }): CliError {
  return new CliError(`cannot import ${path}; nothing was changed`, { why: `${field} ${why}`, next: remedy });
}
