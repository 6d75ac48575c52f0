import { findCidr, findIp, findAddressWithPrefix, formatCidr, networkOf, width } from "../../base/ip.ts";
import type { JsonObject } from "../../cni/json.ts";
import { showValue, type Fault } from "../faults.ts";

/**
 * What became of a key. kept: the same key and value. renamed: the same value under another key. translated: said in other words.
 * dropped: it has no effect here, and the text says why. decide: left out, and somebody has to look at it. added: it was not in the source.
 */
export type Verdict = "kept" | "renamed" | "translated" | "dropped" | "decide" | "added";

export interface Note {
  /** Where in the source, in its own spelling; of what was added, where in the result. */
  readonly path: string;
  readonly verdict: Verdict;
  /** The key of the result; absent for what is left out. */
  readonly to?: string;
  readonly text: string;
}

export interface ConvertOptions {
  /** keep leaves another IPAM plugin in place where it can stay; ours turns its range into a pool of this plugin. */
  readonly ipam: "keep" | "ours";
  /** The node's pod range, for sources that do not name it. */
  readonly cidr?: string;
  /** Pod ranges of the cluster, beside those of the source. */
  readonly clusterCidrs?: readonly string[];
}

/** A network of the source that keeps the pod's address, or leads to the node's load balancing. */
export interface RangeClaim {
  /** In canonical form. */
  readonly cidr: string;
  readonly path: string;
}

/** A key and a value of the source, with the way there. */
export interface Place {
  readonly path: string;
  readonly value: unknown;
}

/** The result of one plugin's object while its keys are gone through. */
export class Draft {
  readonly options: ConvertOptions;
  /** The plugin's object as it was written. */
  readonly source: JsonObject;
  readonly notes: Note[] = [];
  readonly faults: Fault[] = [];
  /** OutBoundNAT exceptions. */
  readonly exceptions: RangeClaim[] = [];
  /** SDNRoutes with NeedEncap. */
  readonly routes: RangeClaim[] = [];
  readonly #values = new Map<string, unknown>();

  constructor(source: JsonObject, options: ConvertOptions) {
    this.source = source;
    this.options = options;
  }

  get(key: string): unknown {
    return this.#values.get(key);
  }

  set(key: string, value: unknown): void {
    this.#values.set(key, value);
  }

  /** Adds to an object of the result, such as `dns`. */
  setBelow(key: string, child: string, value: unknown): void {
    this.#values.set(key, { ...(this.#values.get(key) as JsonObject | undefined), [child]: value });
  }

  append(key: string, item: unknown): void {
    this.#values.set(key, [...((this.#values.get(key) as readonly unknown[] | undefined) ?? []), item]);
  }

  note(path: string, verdict: Verdict, rest: { to?: string; text: string }): void {
    this.notes.push({ path, verdict, ...rest });
  }

  /** Sets a key that the source does not have. */
  add(key: string, value: unknown, text: string): void {
    this.set(key, value);
    this.note(key, "added", { to: key, text });
  }

  drop(path: string, text: string): void {
    this.note(path, "dropped", { text });
  }

  decide(path: string, text: string): void {
    this.note(path, "decide", { text });
  }

  fault({ path, value }: Place, problem: string, remedy: string): void {
    this.faults.push({ path, problem: `is ${showValue(value)}: ${problem}`, remedy });
  }

  entries(): [string, unknown][] {
    return [...this.#values];
  }
}

/** One network in canonical form; a single address is a network of its own, host bits are cut off. Undefined when it is neither. */
export function readNetwork(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  const single = findIp(text);
  if (single !== undefined) return formatCidr(networkOf(single, width(single.family)));
  const parsed = findAddressWithPrefix(text);
  return parsed === undefined ? undefined : formatCidr(networkOf(parsed.address, parsed.prefix));
}

/** A list of texts, or one text with commas, as networks. Faults go into the draft; what is left comes back. */
export function readNetworks(place: Place, draft: Draft): RangeClaim[] {
  const remedy = 'write networks in CIDR form, such as "10.244.0.0/16"';
  if (typeof place.value === "string") {
    const texts = place.value.split(",").filter((text) => text.trim() !== "");
    return texts.flatMap((value) => readClaim({ path: place.path, value }, draft, remedy));
  }
  if (Array.isArray(place.value)) {
    return place.value.flatMap((value: unknown, index) => readClaim({ path: `${place.path}[${index}]`, value }, draft, remedy));
  }
  draft.fault(place, "must be a list of networks", remedy);
  return [];
}

function readClaim(place: Place, draft: Draft, remedy: string): RangeClaim[] {
  const cidr = readNetwork(place.value);
  if (cidr === undefined) draft.fault(place, "is no network in CIDR form", remedy);
  return cidr === undefined ? [] : [{ cidr, path: place.path }];
}

/** Whether `text` is a network as this plugin wants it. */
export function isCidr(value: unknown): value is string {
  return typeof value === "string" && findCidr(value) !== undefined;
}
