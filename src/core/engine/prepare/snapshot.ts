import { PluginError } from "../../base/errors.ts";
import { findMac } from "../../base/ids.ts";
import { findAddressWithPrefix, findCidr, findIp } from "../../base/ip.ts";
import { listOf, record as asObject } from "../../hcn/documents.ts";
import type { AddressOrigin, Uplink } from "./uplink.ts";

/** What a prepare puts on disk before it touches HNS, and takes away when the uplink is as it was. */
export interface Snapshot {
  /** When it was taken, ISO 8601. */
  readonly takenAt: string;
  /** The HNS network that was to be made. */
  readonly network: string;
  readonly uplink: Uplink;
  /** The gateways that answered then: those that have to answer again. */
  readonly gateways: readonly string[];
}

/** The one place for a snapshot on this node. */
export interface SnapshotFile {
  readonly path: string;
  /** Undefined where there is none. Throws IO_FAILURE. */
  read(): string | undefined;
  /** On the disk when it returns. Throws IO_FAILURE. */
  write(text: string): void;
  remove(): void;
}

const VERSION = 1;

export function formatSnapshot(snapshot: Snapshot): string {
  return `${JSON.stringify({ version: VERSION, ...snapshot }, null, 2)}\n`;
}

/** The snapshot of a prepare that did not come to its end; undefined where there is none. Throws IO_FAILURE for a file that cannot be one. */
export function readSnapshot(file: SnapshotFile): Snapshot | undefined {
  const text = file.read();
  if (text === undefined) return undefined;
  const snapshot = parseSnapshot(text);
  if (snapshot !== undefined) return snapshot;
  const message = `${file.path} is no snapshot of an uplink that this version can read`;
  const remedy = "compare the node's addresses, routes and name servers with those in the file by hand, then remove the file";
  throw new PluginError("IO_FAILURE", { message, remedy });
}

function parseSnapshot(text: string): Snapshot | undefined {
  const document = parseJson(text);
  const uplink = parseUplink(document["uplink"]);
  const { takenAt, network } = document;
  const gateways = readTexts(document["gateways"])?.filter((gateway) => findIp(gateway) !== undefined);
  if (document["version"] !== VERSION || uplink === undefined || gateways === undefined) return undefined;
  if (typeof takenAt !== "string" || typeof network !== "string") return undefined;
  return { takenAt, network, uplink, gateways };
}

function parseJson(text: string): Record<string, unknown> {
  try {
    return asObject(JSON.parse(text)) ?? {};
  } catch {
    return {};
  }
}

const ORIGINS: readonly AddressOrigin[] = ["static", "dhcp", "link-local", "other"];

/** An uplink that was written as JSON; undefined when it is none. Addresses and routes that cannot be read make the whole unreadable. */
export function parseUplink(value: unknown): Uplink | undefined {
  const fields = asObject(value) ?? {};
  const { name, isUp, isDhcp, mtu } = fields;
  const kind = (["adapter", "management"] as const).find((known) => known === fields["kind"]);
  const mac = typeof fields["mac"] === "string" ? findMac(fields["mac"]) : undefined;
  const addresses = every(fields["addresses"], parseUplinkAddress);
  const routes = every(fields["routes"], parseRoute);
  const dns = readTexts(fields["dns"]);
  if (typeof name !== "string" || kind === undefined || mac === undefined || typeof mtu !== "number") return undefined;
  if (addresses === undefined || routes === undefined || dns === undefined) return undefined;
  return { name, kind, mac, isUp: isUp === true, isDhcp: isDhcp === true, addresses, routes, dns, mtu };
}

function parseUplinkAddress({ address, origin }: Record<string, unknown>): Uplink["addresses"][number] | undefined {
  const known = ORIGINS.find((one) => one === origin);
  if (typeof address !== "string" || findAddressWithPrefix(address) === undefined || known === undefined) return undefined;
  return { address, origin: known };
}

function parseRoute({ destination, nextHop, metric, isPersistent }: Record<string, unknown>): Uplink["routes"][number] | undefined {
  if (typeof destination !== "string" || findCidr(destination) === undefined) return undefined;
  if (typeof nextHop !== "string" || findIp(nextHop) === undefined) return undefined;
  return { destination, nextHop, metric: typeof metric === "number" ? metric : 0, isPersistent: isPersistent === true };
}

/** Undefined when `value` is no list, or `parse` knows nothing to make of one of its items. */
function every<T>(value: unknown, parse: (item: Record<string, unknown>) => T | undefined): T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const parsed = listOf(value)
    .map(parse)
    .filter((item) => item !== undefined);
  return parsed.length === value.length ? parsed : undefined;
}

function readTexts(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : undefined;
}
