import type { JsonObject } from "../../cni/json.ts";
import { type Fault, showValue } from "../../base/fault.ts";

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

/** The pods' gateway of a source that names it. */
export interface Gateway {
  readonly address: string;
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

  /** Where the object is in its document: "" or `plugins[0]`. */
  readonly path: string;
  /** The pods' gateway, where a key names it; settled once the addresses are. */
  gateway: Gateway | undefined;

  constructor(source: JsonObject, path: string, options: ConvertOptions) {
    this.source = source;
    this.path = path;
    this.options = options;
  }

  get(key: string): unknown {
    return this.#values.get(key);
  }

  set(key: string, value: unknown): void {
    this.#values.set(key, value);
  }

  /** Where a key of the object is in its document. */
  below(key: string): string {
    return this.path === "" ? key : `${this.path}.${key}`;
  }

  /** Sets a key for one of the source and notes it. When two of the source mean the same, the first counts. */
  put(path: string, verdict: Verdict, { to, value, text = "" }: { to: string; value: unknown; text?: string }): void {
    if (this.#values.has(to)) this.drop(path, `${to} is set already`);
    else {
      this.#values.set(to, value);
      this.note(path, verdict, { to, text });
    }
  }

  /** Adds to an object of the result, such as `dns`. */
  setBelow(key: string, child: string, value: unknown): void {
    this.#values.set(key, { ...(this.#values.get(key) as JsonObject | undefined), [child]: value });
  }

  /** Adds to a list of the result. One that the source had under this key must be a list, else that is a fault. */
  append(key: string, ...items: readonly unknown[]): void {
    const before = this.#values.get(key) ?? [];
    if (Array.isArray(before)) this.#values.set(key, [...(before as readonly unknown[]), ...items]);
    else this.fault({ path: key, value: before }, "must be a list", "write a list, or leave the key out");
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
