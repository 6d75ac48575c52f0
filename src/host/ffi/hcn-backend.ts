import { PluginError } from "../../core/base/errors.ts";
import { findGuid, type Guid, guidToBytes } from "../../core/base/ids.ts";
import type { HcnBackend, HcnCallOptions, HcnFilter, HcnHandle, HcnKind } from "../../core/hcn/backend.ts";
import { SCHEMA_V2 } from "../../core/hcn/documents.ts";
import { refusal } from "../../core/hcn/refusal.ts";
import type { HcnLibrary } from "./hcn-library.ts";
import type { NativeFunction, Out, Pointer } from "./library.ts";
import { monotonicMs } from "../exec/time.ts";
import { type Stage, Turns } from "../exec/turns.ts";

/** What a finished call left behind: the HRESULT (unsigned) and the out values, strings already taken over and freed. */
interface Answer {
  readonly hresult: number;
  readonly text: string | undefined;
  readonly handle: Pointer | undefined;
  readonly errorRecord: string | undefined;
}

interface Invocation {
  readonly name: string;
  /** Without one it is in the midst of its operation. */
  readonly stage?: Stage;
  readonly native: NativeFunction;
  readonly inputs: readonly unknown[];
  /** What the function writes, in the order of its parameters. */
  readonly outs: readonly ("handle" | "text" | "error")[];
  /** Closes a handle that arrives after the caller stopped waiting. */
  readonly onLate?: (handle: Pointer) => void;
}

/**
 * What a call must have left once its turn comes, or half of what it had where that is less, milliseconds. With less HNS would do something that nobody
 * waits for any more, and an HNS that is slow would count as one that hangs.
 */
const LEAST_MS = 1_000;

/** HCN through computenetwork.dll: each call runs on the thread pool with a deadline; strings are freed and late handles closed. */
export class FfiHcnBackend implements HcnBackend {
  readonly #library: HcnLibrary;
  readonly #turns: Turns;
  #abandoned = 0;

  /**
   * Calls wait for one of `turns`, of which there are no more than threads. The thread pool would take any number and do them in order of arrival: then
   * every operation of a crowd does its first step before any does its second, the disk's flush waits behind them all, and koffi keeps memory for
   * each call and refuses the 257th. Without `turns` every call is made at once: for a program that makes one after the other.
   */
  constructor(library: HcnLibrary, turns = new Turns(Infinity)) {
    this.#library = library;
    this.#turns = turns;
  }

  /** Calls that were given up and have not returned: while there are any, the process can only be ended by force. */
  get abandonedCalls(): number {
    return this.#abandoned;
  }

  async enumerate(kind: HcnKind, filter: HcnFilter, options: HcnCallOptions): Promise<Guid[]> {
    const query = { SchemaVersion: SCHEMA_V2, Flags: 0, ...(Object.keys(filter).length > 0 && { Filter: JSON.stringify(filter) }) };
    const native = this.#library.function("Enumerate", kind);
    const answer = await this.#invoke(
      { name: `enumerate ${kind}s`, stage: "begin", native, inputs: [JSON.stringify(query)], outs: ["text", "error"] },
      options,
    );
    return parseIds(answer.text, kind);
  }

  open(kind: HcnKind, id: Guid, options: HcnCallOptions): Promise<HcnHandle> {
    const native = this.#library.function("Open", kind);
    return this.#obtain({ name: `open ${kind}`, stage: "begin", kind, native, inputs: [guidToBytes(id)] }, options);
  }

  createNetwork(id: Guid, document: object, options: HcnCallOptions): Promise<HcnHandle> {
    const native = this.#library.function("Create", "network");
    const inputs = [guidToBytes(id), JSON.stringify(document)];
    return this.#obtain({ name: "create network", stage: "make", kind: "network", native, inputs }, options);
  }

  createEndpoint(network: HcnHandle, id: Guid, document: object, options: HcnCallOptions): Promise<HcnHandle> {
    const native = this.#library.function("Create", "endpoint");
    const inputs = [network.value, guidToBytes(id), JSON.stringify(document)];
    return this.#obtain({ name: "create endpoint", stage: "make", kind: "endpoint", native, inputs }, options);
  }

  async query(handle: HcnHandle, options: HcnCallOptions): Promise<unknown> {
    const native = this.#library.function("Query", handle.kind);
    const inputs = [handle.value, JSON.stringify({ SchemaVersion: SCHEMA_V2, Flags: 0 })];
    const answer = await this.#invoke({ name: `query ${handle.kind}`, native, inputs, outs: ["text", "error"] }, options);
    return parseJson(answer.text, `query ${handle.kind}`);
  }

  async modify(handle: HcnHandle, request: object, options: HcnCallOptions): Promise<void> {
    const native = this.#library.function("Modify", handle.kind);
    await this.#invoke(
      { name: `modify ${handle.kind}`, native, inputs: [handle.value, JSON.stringify(request)], outs: ["error"] },
      options,
    );
  }

  async delete(kind: HcnKind, id: Guid, options: HcnCallOptions): Promise<void> {
    const native = this.#library.function("Delete", kind);
    await this.#invoke({ name: `delete ${kind}`, native, inputs: [guidToBytes(id)], outs: ["error"] }, options);
  }

  async close(handle: HcnHandle, options: HcnCallOptions): Promise<void> {
    const native = this.#library.function("Close", handle.kind);
    await this.#invoke({ name: `close ${handle.kind}`, stage: "end", native, inputs: [handle.value], outs: [] }, options);
  }

  async callV1(request: Parameters<HcnBackend["callV1"]>[0], options: HcnCallOptions): Promise<unknown> {
    const name = `${request.method} ${request.path}`;
    const body = request.body === undefined ? "" : JSON.stringify(request.body);
    const native = this.#library.hnsCall();
    const answer = await this.#invoke({ name, native, inputs: [request.method, request.path, body], outs: ["text"] }, options);
    return parseEnvelope(parseJson(answer.text, name), name);
  }

  async #obtain(
    call: Pick<Invocation, "name" | "native" | "inputs"> & { stage: Stage; kind: HcnKind },
    options: HcnCallOptions,
  ): Promise<HcnHandle> {
    const close = this.#library.function("Close", call.kind);
    const onLate = (handle: Pointer): void => void close.callAsync(handle).catch(() => undefined);
    const answer = await this.#invoke({ ...call, outs: ["handle", "error"], onLate }, options);
    if (answer.handle === undefined) throw unreadable(call.name, "no handle");
    return { kind: call.kind, value: answer.handle };
  }

  /** Makes the call when it has its turn, and waits until the deadline. Throws OPERATION_TIMEOUT, HNS_TIMEOUT or HNS_REFUSED. */
  async #invoke(invocation: Invocation, options: HcnCallOptions): Promise<Answer> {
    const { name } = invocation;
    const deadlineMs = await this.#takeTurn(invocation, options);
    let isWaiting = true;
    const finished = this.#start(invocation, () => isWaiting);
    // The turn is the thread's: a call that was given up keeps it until it returns.
    finished.then(
      () => this.#turns.give(),
      () => this.#turns.give(),
    );
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, deadlineMs, undefined);
    });
    const answer = await Promise.race([finished, timeout]).finally(() => {
      isWaiting = false;
      clearTimeout(timer);
    });
    if (answer === undefined) {
      this.#abandoned++;
      void finished.catch(() => undefined).finally(() => this.#abandoned--);
      throw timedOut(name, deadlineMs);
    }
    if (answer.hresult >= 0x80000000) throw refusal(name, answer.hresult, answer.errorRecord ?? answer.text);
    return answer;
  }

  /** Returns how long the call may then take, milliseconds. Throws OPERATION_TIMEOUT: nothing was asked of HNS. */
  async #takeTurn({ name, stage = "go on" }: Invocation, { deadlineMs, waitMs = deadlineMs }: HcnCallOptions): Promise<number> {
    const turn = this.#turns.take(stage, waitMs);
    if (turn === undefined) return deadlineMs;
    const start = monotonicMs();
    if (!(await turn)) throw noTurn(name, waitMs);
    const leftMs = Math.min(deadlineMs, waitMs - (monotonicMs() - start));
    // A handle must be closed, however late it is.
    if (stage === "end" || leftMs >= Math.min(deadlineMs / 2, LEAST_MS)) return Math.max(1, leftMs);
    this.#turns.give();
    throw noTurn(name, waitMs);
  }

  async #start(invocation: Invocation, isWaiting: () => boolean): Promise<Answer> {
    const cells = invocation.outs.map((): Out<Pointer> => [null]);
    const hresult = Number(await invocation.native.callAsync(...invocation.inputs, ...cells)) >>> 0;
    const cellOf = (kind: Invocation["outs"][number]): Pointer | null => cells[invocation.outs.indexOf(kind)]?.[0] ?? null;
    const answer = {
      hresult,
      text: this.#library.takeText(cellOf("text")),
      handle: cellOf("handle") ?? undefined,
      errorRecord: this.#library.takeText(cellOf("error")),
    };
    if (!isWaiting() && answer.handle !== undefined && hresult < 0x80000000) invocation.onLate?.(answer.handle);
    return answer;
  }
}

function parseIds(text: string | undefined, kind: HcnKind): Guid[] {
  const list = parseJson(text, `enumerate ${kind}s`);
  if (!Array.isArray(list)) throw unreadable(`enumerate ${kind}s`, "no list");
  return list.map((entry) => {
    const id = typeof entry === "string" ? findGuid(entry) : undefined;
    if (id === undefined) throw unreadable(`enumerate ${kind}s`, `"${String(entry)}" is no GUID`);
    return id;
  });
}

function parseJson(text: string | undefined, name: string): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    throw unreadable(name, "no JSON");
  }
}

/** HNSCall wraps its answer; a refusal inside comes with S_OK on older builds. */
function parseEnvelope(answer: unknown, name: string): unknown {
  if (typeof answer !== "object" || answer === null) throw unreadable(name, "no envelope");
  const envelope = answer as { Success?: unknown; Error?: unknown; ErrorCode?: unknown; Output?: unknown };
  if (envelope.Success === true) return envelope.Output;
  const code = typeof envelope.ErrorCode === "number" ? envelope.ErrorCode >>> 0 : E_FAIL;
  throw refusal(name, code, typeof envelope.Error === "string" ? envelope.Error : undefined);
}

const E_FAIL = 0x80004005;

function timedOut(name: string, ms: number): PluginError {
  const message = `HNS did not answer "${name}" within ${Math.round(ms / 100) / 10} s; it may still carry it out`;
  return new PluginError("HNS_TIMEOUT", { message, remedy: "check the hns service; restart it if it hangs" }, { retryable: true });
}

/** HNS was not asked: nothing has changed. */
export function noTurn(name: string, ms: number): PluginError {
  const message = `"${name}" was not asked of HNS: for ${Math.round(ms / 100) / 10} s as many calls as may be made at once were under way`;
  return new PluginError(
    "OPERATION_TIMEOUT",
    { message, remedy: "HNS is slow: see the log for the time of each call" },
    { retryable: true },
  );
}

function unreadable(name: string, what: string): PluginError {
  const data = { message: `HNS's answer to "${name}" cannot be read: ${what}`, remedy: "report this with the log file at level debug" };
  return new PluginError("HNS_REFUSED", data);
}
