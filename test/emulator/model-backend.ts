import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { PluginError } from "../../src/core/base/errors.ts";
import { findGuid, type Guid } from "../../src/core/base/ids.ts";
import type { HcnBackend, HcnCallOptions, HcnFilter, HcnHandle, HcnKind } from "../../src/core/hcn/backend.ts";
import { HnsModel, type CallResult } from "./model/model.ts";
import { hresultText } from "./model/hresult.ts";
import type { Settings } from "./model/world.ts";
import { answerDelay, runPending } from "./run-call.ts";

/** Thrown where the "kill" fault would have ended the process. Nothing that catches errors to answer the caller may swallow it. */
export class KilledError extends Error {
  readonly call: string;

  constructor(call: string) {
    super(`killed at ${call}`);
    this.name = "KilledError";
    this.call = call;
  }
}

export interface ModelBackendOptions {
  /** The process id calls are logged under. */
  readonly pid?: number;
  /** How delays and deadlines pass; default: real time. */
  readonly sleep?: (ms: number) => Promise<void>;
}

/** A model with chance of its own, for tests; `now` gives milliseconds and never goes back. */
export function createModel(settings: Partial<Settings> = {}, now = (): number => performance.now()): HnsModel {
  return new HnsModel({ sources: { now, guid: () => randomUUID() }, settings });
}

const EXPORT_NAMES: Readonly<Record<HcnKind, { one: string; many: string }>> = {
  network: { one: "Network", many: "Networks" },
  endpoint: { one: "Endpoint", many: "Endpoints" },
  namespace: { one: "Namespace", many: "Namespaces" },
  loadBalancer: { one: "LoadBalancer", many: "LoadBalancers" },
  sdnRoute: { one: "SdnRoute", many: "SdnRoutes" },
};

/** The HNS model behind the product's own interface, in this process: faults, log and handles as over the library. */
export class ModelBackend implements HcnBackend {
  readonly model: HnsModel;
  readonly #pid: number;
  readonly #sleep: (ms: number) => Promise<void>;

  constructor(model: HnsModel = createModel(), options: ModelBackendOptions = {}) {
    this.model = model;
    this.#pid = options.pid ?? 1;
    this.#sleep = options.sleep ?? ((ms) => sleep(ms));
  }

  async enumerate(kind: HcnKind, filter: HcnFilter, options: HcnCallOptions): Promise<Guid[]> {
    const name = `HcnEnumerate${EXPORT_NAMES[kind].many}`;
    const result = await this.#call(name, [buildQuery(filter)], options);
    // The model answers this export with a list of GUID texts.
    const ids = JSON.parse(result.output ?? "[]") as string[];
    return ids.flatMap((id) => findGuid(id) ?? []);
  }

  async open(kind: HcnKind, id: Guid, options: HcnCallOptions): Promise<HcnHandle> {
    const result = await this.#call(`HcnOpen${EXPORT_NAMES[kind].one}`, [id], options);
    return { kind, value: result.handle };
  }

  async createNetwork(id: Guid, document: object, options: HcnCallOptions): Promise<HcnHandle> {
    const result = await this.#call("HcnCreateNetwork", [id, JSON.stringify(document)], options);
    return { kind: "network", value: result.handle };
  }

  async createEndpoint(network: HcnHandle, id: Guid, document: object, options: HcnCallOptions): Promise<HcnHandle> {
    const result = await this.#call("HcnCreateEndpoint", [String(network.value), id, JSON.stringify(document)], options);
    return { kind: "endpoint", value: result.handle };
  }

  async query(handle: HcnHandle, options: HcnCallOptions): Promise<unknown> {
    const name = `HcnQuery${EXPORT_NAMES[handle.kind].one}Properties`;
    const result = await this.#call(name, [String(handle.value), buildQuery({})], options);
    return JSON.parse(result.output ?? "null");
  }

  async modify(handle: HcnHandle, request: object, options: HcnCallOptions): Promise<void> {
    await this.#call(`HcnModify${EXPORT_NAMES[handle.kind].one}`, [String(handle.value), JSON.stringify(request)], options);
  }

  async delete(kind: HcnKind, id: Guid, options: HcnCallOptions): Promise<void> {
    await this.#call(`HcnDelete${EXPORT_NAMES[kind].one}`, [id], options);
  }

  async close(handle: HcnHandle, options: HcnCallOptions): Promise<void> {
    await this.#call(`HcnClose${EXPORT_NAMES[handle.kind].one}`, [String(handle.value)], options);
  }

  async callV1(request: { method: "GET" | "POST" | "DELETE"; path: string; body?: object }, options: HcnCallOptions): Promise<unknown> {
    const body = request.body === undefined ? "" : JSON.stringify(request.body);
    const result = await this.#call("HNSCall", [request.method, request.path, body], options);
    // The envelope the model itself wrote.
    const envelope = JSON.parse(result.output ?? "{}") as { Success?: boolean; Output?: unknown; Error?: string; ErrorCode?: number };
    if (envelope.Success === true) return envelope.Output;
    throw refused("HNSCall", envelope.ErrorCode ?? 0, envelope.Error ?? "");
  }

  /** What HnsEmulatorHost answers on Linux; see model/host-call.ts. */
  async host(request: object, options: HcnCallOptions): Promise<unknown> {
    const result = await this.#call("HnsEmulatorHost", [JSON.stringify(request)], options);
    return JSON.parse(result.output ?? "{}");
  }

  async #call(name: string, args: (string | null)[], { deadlineMs }: HcnCallOptions): Promise<CallResult> {
    const call = this.model.begin(name, args, { pid: this.#pid });
    const isLate = answerDelay(call) > deadlineMs;
    const run = runPending(this.model, call, { sleep: this.#sleep, isGone: () => isLate });
    // Known beforehand, so no race: the call goes on by itself, and its caller learns only that time ran out.
    if (isLate) {
      await this.#sleep(deadlineMs);
      throw new PluginError("HNS_TIMEOUT", { message: `${name} had no answer within ${deadlineMs} ms` }, { retryable: true });
    }
    const outcome = await run;
    if (outcome.kind === "kill") throw new KilledError(name);
    if (outcome.result.hresult !== 0) throw refused(name, outcome.result.hresult, readMessage(outcome.result));
    return outcome.result;
  }
}

function buildQuery(filter: HcnFilter): string {
  const text = Object.keys(filter).length === 0 ? {} : { Filter: JSON.stringify(filter) };
  return JSON.stringify({ SchemaVersion: { Major: 2, Minor: 0 }, Flags: 0, ...text });
}

function readMessage({ hresult, errorRecord }: CallResult): string {
  // The error record the model itself wrote.
  return errorRecord === null ? hresultText(hresult) : (JSON.parse(errorRecord) as { Error: string }).Error;
}

function refused(name: string, hresult: number, message: string): PluginError {
  const code = `0x${hresult.toString(16).padStart(8, "0")}`;
  // The service was not reached: the same code the real library's backend gives.
  const unavailable = hresult === 0x800706ba;
  return new PluginError(unavailable ? "HNS_UNAVAILABLE" : "HNS_REFUSED", { message: `${name}: ${message.trim()} (${code})`, hresult });
}
