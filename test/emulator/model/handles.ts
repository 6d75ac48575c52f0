import { HnsError, HRESULT } from "./hresult.ts";

export type HandleKind =
  | "network"
  | "endpoint"
  | "namespace"
  | "loadBalancer"
  | "sdnRoute"
  | "guestService"
  | "portReservation"
  | "callback"
  | "guestCallback"
  | "computeSystem"
  | "computeCallback";

export interface OpenHandle {
  readonly handle: number;
  readonly kind: HandleKind;
  readonly id: string;
  readonly pid: number;
}

// Above 2^32 on purpose: a client that keeps a handle in 32 bits fails here as it would on real Windows.
const FIRST_HANDLE = 0x1a4_0000_0040;
const HANDLE_STEP = 0x10;

/** The open handles of all clients. They stay counted when a client dies, as a leak that a test can see. */
export class HandleTable {
  readonly #open = new Map<number, OpenHandle>();
  #next = FIRST_HANDLE;
  #inUse: OpenHandle | undefined;

  open(kind: HandleKind, id: string, pid: number): number {
    const handle = this.#next;
    this.#next += HANDLE_STEP;
    this.#open.set(handle, { handle, kind, id, pid });
    return handle;
  }

  /** The object behind a handle. INVALID_ARGUMENT for none, INVALID_HANDLE for one closed, unknown, of another kind or another process. */
  resolve(handle: number, kind: HandleKind, pid: number): string {
    if (handle === 0) throw new HnsError(HRESULT.INVALID_ARGUMENT, "handle is NULL");
    const entry = this.#open.get(handle) ?? (this.#inUse?.handle === handle ? this.#inUse : undefined);
    if (entry === undefined || entry.kind !== kind || entry.pid !== pid) throw new HnsError(HRESULT.INVALID_HANDLE);
    return entry.id;
  }

  /** The open handle of this number and process, if there is one. */
  find(handle: number, pid: number): OpenHandle | undefined {
    const entry = this.#open.get(handle);
    return entry?.pid === pid ? entry : undefined;
  }

  /** Runs `work` with a handle that was open when its call arrived: closing it meanwhile does not take it from that call. */
  using<T>(entry: OpenHandle | undefined, work: () => T): T {
    this.#inUse = entry;
    try {
      return work();
    } finally {
      this.#inUse = undefined;
    }
  }

  close(handle: number, kind: HandleKind, pid: number): void {
    this.resolve(handle, kind, pid);
    if (!this.#open.delete(handle)) throw new HnsError(HRESULT.INVALID_HANDLE);
  }

  /** Takes back a handle its caller never received. */
  drop(handle: number): void {
    this.#open.delete(handle);
  }

  clear(): void {
    this.#open.clear();
  }

  list(): OpenHandle[] {
    return [...this.#open.values()];
  }
}
