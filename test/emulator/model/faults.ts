/** What happens to a call that a fault meets. "before" and "after" are relative to the call's effect on HNS. */
export type FaultKind =
  | "fail" // refused with `hresult`, no effect
  | "fail-after" // takes effect, yet the caller is told `hresult`
  | "delay" // takes effect at once, answered after `ms`
  | "late" // effect and answer both come after `ms`, whether the caller still waits or not
  | "hang" // never answered, no effect
  | "hang-after" // takes effect, never answered
  | "kill" // the calling process ends at once, no effect
  | "kill-after" // takes effect, then the calling process ends
  | "restart" // HNS restarts instead of doing the call; the caller sees a failed remote procedure call
  | "restart-after" // takes effect, then HNS restarts; the caller sees a failed remote procedure call
  | "reboot" // the machine starts anew: the caller ends, no effect
  | "reboot-after"; // takes effect, then the machine starts anew

export interface FaultSpec {
  /** Export's name, "HnsEmulatorHost", or "*" for any HCN call or HNSCall. */
  readonly call: string;
  readonly kind: FaultKind;
  /** Only the n-th matching call since the fault was added (from 1); absent = every one. */
  readonly nth?: number;
  /** Only calls one of whose arguments contains this text, such as "/networks" or an id. */
  readonly match?: string;
  readonly hresult?: number;
  readonly ms?: number;
}

export interface Fault extends FaultSpec {
  readonly id: number;
  /** Matching calls seen so far. */
  seen: number;
}

export const FAULT_KINDS: readonly FaultKind[] = [
  "fail",
  "fail-after",
  "delay",
  "late",
  "hang",
  "hang-after",
  "kill",
  "kill-after",
  "restart",
  "restart-after",
  "reboot",
  "reboot-after",
];

/** The calls the emulator adds to HNS's own; "*" does not mean them and they are not in the log. */
export const HOST_CALL = "HnsEmulatorHost";

/** The scripted faults. The first one that meets a call wins; all that match count the call. */
export class FaultBook {
  #faults: Fault[] = [];
  #nextId = 1;

  add(spec: FaultSpec): Fault {
    const fault: Fault = { ...spec, id: this.#nextId++, seen: 0 };
    this.#faults.push(fault);
    return { ...fault };
  }

  list(): Fault[] {
    return this.#faults.map((fault) => ({ ...fault }));
  }

  clear(id?: number): void {
    this.#faults = id === undefined ? [] : this.#faults.filter((fault) => fault.id !== id);
  }

  /** The fault this call meets; counts the call. */
  take(name: string, args: readonly (string | null)[]): Fault | undefined {
    let met: Fault | undefined;
    for (const fault of this.#faults) {
      if (!applies(fault, name, args)) continue;
      fault.seen += 1;
      if (fault.nth === undefined || fault.nth === fault.seen) met ??= { ...fault };
    }
    return met;
  }
}

function applies(fault: FaultSpec, name: string, args: readonly (string | null)[]): boolean {
  const named = fault.call === "*" ? name !== HOST_CALL : fault.call === name;
  const { match } = fault;
  return named && (match === undefined || args.some((arg) => arg !== null && arg.toLowerCase().includes(match.toLowerCase())));
}
