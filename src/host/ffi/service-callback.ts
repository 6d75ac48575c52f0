import { PluginError } from "../../core/base/errors.ts";
import { refusal } from "../../core/hcn/refusal.ts";
import { monotonicMs } from "../exec/time.ts";
import { type Stage, Turns } from "../exec/turns.ts";
import { noTurn } from "./hcn-backend.ts";
import type { HcnLibraries } from "./hcn-library.ts";
import type { NativeFunction, NativeType, Out, Pointer } from "./library.ts";

/** What HNS tells about itself and its objects. Source: HCN_NOTIFICATIONS of computenetwork.h. */
const NAMES: Readonly<Record<number, string>> = {
  1: "network pre-create",
  2: "network create",
  3: "network pre-delete",
  4: "network delete",
  5: "namespace create",
  6: "namespace delete",
  7: "guest service create",
  8: "guest service delete",
  9: "endpoint attached",
  0x10: "endpoint detached",
  0x11: "guest service state",
  0x12: "guest service interface state",
  0x01000000: "service disconnect",
};
const SERVICE_DISCONNECT = 0x01000000;

export interface HnsNotification {
  /** HNS goes away, and this registration with it. */
  readonly isDisconnect: boolean;
  /** In words, or the number where it has none. */
  readonly name: string;
  /** JSON about the object, such as its id; "" when HNS tells nothing. */
  readonly data: string;
}

/** HRESULT callback(DWORD type, void *context, HRESULT status, PCWSTR data), called on a thread of computenetwork.dll. */
const CALLBACK: readonly NativeType[] = ["uint32", "pointer", "int32", "pointer"];
const REGISTER: readonly NativeType[] = ["pointer", "pointer", "out pointer"];
const UNREGISTER: readonly NativeType[] = ["pointer"];

/**
 * HNS's service callback, one registration at a time. HNS's thread waits in the callback until the event loop has a moment, so nothing is done
 * there but reading; and no call of ours keeps the loop waiting for HNS, which is what a deadlock would need.
 */
export class ServiceCallback {
  readonly #open: () => HcnLibraries;
  readonly #onNotification: (notification: HnsNotification) => void;
  /** One for the life of the process: an abandoned registration may call it at any time. */
  #callback: Pointer | undefined;
  /** Numbers the registrations; HNS gives it back with each notification. */
  #lastContext = 0n;
  /** The registration whose notifications count, from before HNS is asked for it: the first may come before the answer does. */
  #context: bigint | undefined;
  #handle: Pointer | undefined;
  #abandoned = 0;
  /** Ends the wait for a registration under way. */
  #giveUp: () => void = () => undefined;
  #opened: HcnLibraries | undefined;
  readonly #turns: Turns;

  /**
   * Its calls wait for one of `turns`, which are those of all calls to HNS: they hold a thread as long as HNS likes, and the program has other
   * work for its last ones. `onNotification` is called from the event loop, for the current registration only, and perhaps before
   * `register` has resolved.
   */
  constructor(open: () => HcnLibraries, onNotification: (notification: HnsNotification) => void, turns = new Turns(Infinity)) {
    this.#open = open;
    this.#onNotification = onNotification;
    this.#turns = turns;
  }

  /** Calls that were given up and have not returned. */
  get abandonedCalls(): number {
    return this.#abandoned;
  }

  /**
   * Registers, in the place of an earlier registration. Throws HNS_TIMEOUT, HNS_REFUSED or HNS_UNAVAILABLE, and OPERATION_TIMEOUT when it got no turn;
   * a registration that comes later is taken back.
   */
  async register(deadlineMs: number): Promise<void> {
    const native = this.#bind("HcnRegisterServiceCallback", REGISTER);
    const context = ++this.#lastContext;
    const earlier = this.#take(context);
    await this.#release(earlier, deadlineMs);
    const leftMs = await this.#takeTurn("begin", deadlineMs);
    if (leftMs === undefined) throw this.#without(context, noTurn("register callback", deadlineMs));
    if (context !== this.#context) {
      this.#turns.give();
      throw timedOut(deadlineMs);
    }
    await this.#ask(native, context, leftMs);
  }

  async #ask(native: NativeFunction, context: bigint, deadlineMs: number): Promise<void> {
    this.#callback ??= this.#libraries.ffi.callback("void", CALLBACK, (...args) => this.#receive(args));
    const cell: Out<Pointer> = [null];
    const call = this.#givingBack(native.callAsync(this.#callback, context, cell)).then(Number);
    const isGivenUp = new Promise<void>((resolve) => (this.#giveUp = resolve));
    const hresult = await this.#within(deadlineMs, call, isGivenUp);
    if (hresult === 0 && context === this.#context) {
      this.#handle = cell[0] ?? undefined;
      return;
    }
    if (hresult !== undefined && hresult !== 0) throw this.#without(context, refusal("register callback", hresult >>> 0, undefined));
    void call.then((late) => (late === 0 ? this.#release(cell[0], deadlineMs) : undefined)).catch(() => undefined);
    throw this.#without(context, timedOut(deadlineMs));
  }

  /**
   * Ends the registration, or gives up one under way; what HNS answers makes no difference, since one that went away with its HNS is void. No
   * notification follows.
   */
  async unregister(deadlineMs: number): Promise<void> {
    const handle = this.#take(undefined);
    this.#giveUp();
    await this.#release(handle, deadlineMs);
  }

  /** The error, once a registration that failed counts no more. */
  #without(context: bigint, error: PluginError): PluginError {
    if (context === this.#context) this.#context = undefined;
    return error;
  }

  /** The handle of the registration, which then counts no more. */
  #take(next: bigint | undefined): Pointer | null {
    const handle = this.#handle ?? null;
    this.#context = next;
    this.#handle = undefined;
    return handle;
  }

  async #release(handle: Pointer | null, deadlineMs: number): Promise<void> {
    if (handle === null) return;
    const native = this.#bind("HcnUnregisterServiceCallback", UNREGISTER);
    const leftMs = await this.#takeTurn("end", deadlineMs);
    if (leftMs !== undefined) await this.#within(leftMs, this.#givingBack(native.callAsync(handle)));
  }

  /** The milliseconds that are left for the call; undefined when no turn came. */
  async #takeTurn(stage: Stage, deadlineMs: number): Promise<number | undefined> {
    const start = monotonicMs();
    const turn = this.#turns.take(stage, deadlineMs);
    if (turn === undefined) return deadlineMs;
    return (await turn) ? Math.max(1, deadlineMs - (monotonicMs() - start)) : undefined;
  }

  /** The turn is the thread's: a call that was given up keeps it until it returns. */
  #givingBack<T>(call: Promise<T>): Promise<T> {
    return call.finally(() => this.#turns.give());
  }

  /** Its result, or undefined when it takes longer or is given up; it then counts as abandoned until it has returned. */
  async #within<T>(deadlineMs: number, call: Promise<T>, isGivenUp?: Promise<void>): Promise<T | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = Symbol("late");
    const timeout = new Promise<typeof late>((resolve) => {
      timer = setTimeout(resolve, deadlineMs, late);
      void isGivenUp?.then(() => resolve(late));
    });
    const result = await Promise.race([call, timeout]).finally(() => clearTimeout(timer));
    if (result !== late) return result;
    this.#abandoned++;
    void call.catch(() => undefined).finally(() => this.#abandoned--);
    return undefined;
  }

  /** HNS's thread waits for this to return, and owns the text until then. */
  #receive([type, context, , data]: readonly unknown[]): void {
    const text = typeof data === "bigint" ? this.#libraries.ffi.readWide(data) : "";
    const number = Number(type);
    setImmediate(() => {
      if (context !== this.#context) return;
      this.#onNotification({ isDisconnect: number === SERVICE_DISCONNECT, name: NAMES[number] ?? String(number), data: text });
    });
  }

  get #libraries(): HcnLibraries {
    return (this.#opened ??= this.#open());
  }

  #bind(name: string, args: readonly NativeType[]): NativeFunction {
    const found = this.#libraries.hcn.find(name, "int32", args);
    if (found !== undefined) return found;
    const message = `this Windows does not export ${name}`;
    throw new PluginError("HNS_UNAVAILABLE", { message, remedy: "use Windows Server 2019 or later" });
  }
}

function timedOut(deadlineMs: number): PluginError {
  const message = `HNS did not register a callback within ${deadlineMs / 1000} s`;
  return new PluginError("HNS_TIMEOUT", { message, remedy: "check the hns service; restart it if it hangs" }, { retryable: true });
}
