/** Runs a golden case on the packaged program and compares all that it did with what was written down by hand. */
import { findGuid } from "../../src/core/base/ids.ts";
import type { CallRecord } from "../emulator/model/call-log.ts";
import { type Command, type CrashNode, HOST_ENDPOINT, NETWORK, type Pod } from "./crash-node.ts";

/** Expected JSON. A text of the form `<guid:NAME>` or `<mac:NAME>` stands for a generated value, the same one wherever the case names it; `<has:TEXT>` for any text with TEXT in it. */
export type Golden = string | number | boolean | null | readonly Golden[] | { readonly [key: string]: Golden };

/** One HCN call: its name, and where it sends a document, that document. For HNSCall `call` is "HNSCall METHOD PATH". */
export type GoldenCall = string | { readonly call: string; readonly document: Golden };

export interface GoldenEndpoint {
  readonly name: string;
  readonly addresses: readonly string[];
  /** The container whose namespace it is in; "host" for one attached to the node. */
  readonly in: string;
}

export interface GoldenCase {
  readonly name: string;
  /** Containers whose ADD has succeeded before; the first one made the network. */
  readonly attached?: readonly string[];
  /** What others did to HNS before. */
  readonly before?: (node: CrashNode) => Promise<unknown>;
  readonly command: string;
  /** The container the command is about; none for GC, STATUS and VERSION. */
  readonly container?: string;
  /** Laid over the environment; "" removes a variable. */
  readonly env?: Readonly<Record<string, string>>;
  /** Laid over the configuration, or the whole of stdin when it is text. A value "prevResult of NAME" is replaced by that ADD's answer. */
  readonly stdin: string | Readonly<Record<string, unknown>>;
  readonly exit: 0 | 1;
  /** "" for no output at all. */
  readonly stdout: Golden;
  readonly calls: readonly GoldenCall[];
  /** Every endpoint afterwards. */
  readonly endpoints: readonly GoldenEndpoint[];
  /** Names of the networks afterwards; the pods' network unless given. */
  readonly networks?: readonly string[];
}

/** Namespaces have fixed ids, so that cases can be written down. */
export function namespaceOf(container: string): string {
  const number = Number(container.replace(/\D/g, ""));
  return `AAAAAAAA-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

export async function runGolden(node: CrashNode, golden: GoldenCase): Promise<void> {
  await node.reset();
  const results = new Map<string, unknown>();
  for (const container of golden.attached ?? []) results.set(container, await node.add(await makePod(node, container)));
  if (golden.container !== undefined && !results.has(golden.container) && golden.env?.["CNI_NETNS"] === undefined)
    await makePod(node, golden.container);
  await golden.before?.(node);
  await node.emulator.clearCalls();
  const found = await runCommand(node, golden, results);
  const bindings = new Map<string, string>();
  const calls = (await node.emulator.calls()).map((call, index) => describeCall(call, golden.calls[index]));
  expect({ exit: found.code, stderr: found.stderr }).toEqual({ exit: golden.exit, stderr: "" });
  expectMatch(golden.stdout, found.stdout === "" ? "" : (JSON.parse(found.stdout) as Golden), bindings);
  expectMatch(golden.calls, calls, bindings);
  expect(await describeEndpoints(node)).toEqual(golden.endpoints);
  expect((await node.emulator.networks()).map(({ name }) => name)).toEqual(golden.networks ?? [NETWORK]);
  expect(await node.emulator.handles()).toEqual([]);
}

async function makePod(node: CrashNode, container: string): Promise<Pod> {
  return { container, netns: await node.emulator.createNamespace(namespaceOf(container)) };
}

async function runCommand(
  node: CrashNode,
  golden: GoldenCase,
  results: ReadonlyMap<string, unknown>,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { command, container, stdin, env } = golden;
  const pod = container === undefined ? undefined : { container, netns: namespaceOf(container) };
  if (typeof stdin === "string") return node.run(command as Command, pod, { stdin, ...(env !== undefined && { env }) });
  const entries = Object.entries(stdin).map(([key, value]) => [key, findPrevResult(value, results)] as const);
  return node.run(command as Command, pod, { config: Object.fromEntries(entries), ...(env !== undefined && { env }) });
}

function findPrevResult(value: unknown, results: ReadonlyMap<string, unknown>): unknown {
  const container = typeof value === "string" ? /^prevResult of (.*)$/.exec(value)?.[1] : undefined;
  return container === undefined ? value : results.get(container);
}

/** The call in the form of the case: its document is looked at where the case gives one. */
function describeCall({ name, args }: CallRecord, wanted: GoldenCall | undefined): Golden {
  const call = name === "HNSCall" ? `HNSCall ${args[0] ?? ""} ${args[1] ?? ""}` : name;
  if (typeof wanted !== "object") return call;
  return { call, document: JSON.parse(args.at(-1) ?? "null") as Golden };
}

async function describeEndpoints(node: CrashNode): Promise<GoldenEndpoint[]> {
  const owners = new Map((await node.emulator.namespaces()).map(({ id }) => [id, `c${Number(id.slice(-12))}`]));
  const endpoints = await node.emulator.endpoints();
  return endpoints.map(({ name, addresses, namespace, hostCompartment }) => {
    const place = hostCompartment === 1 ? "host" : (owners.get(namespace ?? "") ?? "nowhere");
    return { name, addresses, in: place };
  });
}

/** The endpoint the first ADD on a node makes for the node itself. */
export const HOST: GoldenEndpoint = { name: HOST_ENDPOINT, addresses: ["10.244.3.2/24"], in: "host" };

function expectMatch(wanted: Golden, found: Golden, bindings: Map<string, string>): void {
  // Filling the placeholders in first makes jest show the one difference there is.
  expect(found).toEqual(fill(wanted, found, bindings));
}

function fill(wanted: Golden, found: Golden | undefined, bindings: Map<string, string>): Golden {
  if (typeof wanted === "string") return fillText(wanted, found, bindings);
  if (Array.isArray(wanted))
    return wanted.map((entry: Golden, index) => fill(entry, Array.isArray(found) ? (found[index] as Golden) : undefined, bindings));
  if (typeof wanted !== "object" || wanted === null) return wanted;
  const fields = new Map<string, Golden>(typeof found === "object" && found !== null ? Object.entries(found) : []);
  return Object.fromEntries(Object.entries(wanted).map(([key, value]) => [key, fill(value, fields.get(key), bindings)]));
}

/** Several placeholders may stand in one text, such as a path. */
function fillText(wanted: string, found: Golden | undefined, bindings: Map<string, string>): string {
  const part = /^<has:(.*)>$/.exec(wanted)?.[1];
  if (part !== undefined) return typeof found === "string" && found.includes(part) ? found : wanted;
  const names = [...wanted.matchAll(/<(guid|mac):([a-z0-9]+)>/g)];
  const pattern = new RegExp(
    `^${wanted
      .replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")
      .replace(/<guid:[a-z0-9]+>/g, "([0-9A-Fa-f-]{36})")
      .replace(/<mac:[a-z0-9]+>/g, "((?:[0-9a-f]{2}:){5}[0-9a-f]{2})")}$`,
  );
  const values = typeof found === "string" ? pattern.exec(found)?.slice(1) : undefined;
  return names.reduce((text, [placeholder, , name = ""], index) => {
    const value = values?.[index];
    const known = bindings.get(name);
    if (known === undefined && value !== undefined && (value.includes(":") || findGuid(value) !== undefined)) bindings.set(name, value);
    return text.replace(placeholder, bindings.get(name) ?? placeholder);
  }, wanted);
}
