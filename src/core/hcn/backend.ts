import type { Guid } from "../base/ids.ts";

/** An open HCN object. Opaque: only the backend that gave it out can use it. Handles can be above 2^32. */
export interface HcnHandle {
  readonly kind: HcnKind;
  readonly value: unknown;
}

export type HcnKind = "network" | "endpoint" | "namespace" | "loadBalancer" | "sdnRoute";

/** Filter of an enumeration by exact match; HNS still calls the network of an endpoint by its v1 name. */
export interface HcnFilter {
  readonly ID?: string;
  readonly Name?: string;
  readonly VirtualNetwork?: string;
  /** As HNS writes it: `00-15-5D-00-00-01`. */
  readonly MacAddress?: string;
}

export interface HcnCallOptions {
  /** Milliseconds after which the caller is told HNS_TIMEOUT; the call itself cannot be taken back and may still complete. */
  readonly deadlineMs: number;
  /**
   * Milliseconds for both the wait until a thread is free for the call and the call; as deadlineMs when absent. A call that has got no thread by then
   * was not made: OPERATION_TIMEOUT.
   */
  readonly waitMs?: number;
}

/**
 * The part of HNS this product uses, one method an export of computenetwork.dll (and HNSCall of vmcompute.dll).
 * Each answers with parsed JSON documents in HNS's own field case. Every method throws a PluginError:
 * HNS_REFUSED with the HRESULT in `data.hresult`, HNS_TIMEOUT, OPERATION_TIMEOUT when it was not made, or HNS_UNAVAILABLE when the library or service is
 * not there.
 */
export interface HcnBackend {
  enumerate(kind: HcnKind, filter: HcnFilter, options: HcnCallOptions): Promise<Guid[]>;
  open(kind: HcnKind, id: Guid, options: HcnCallOptions): Promise<HcnHandle>;
  createNetwork(id: Guid, document: object, options: HcnCallOptions): Promise<HcnHandle>;
  createEndpoint(network: HcnHandle, id: Guid, document: object, options: HcnCallOptions): Promise<HcnHandle>;
  /** The properties document; its type is for the caller to check. */
  query(handle: HcnHandle, options: HcnCallOptions): Promise<unknown>;
  modify(handle: HcnHandle, request: object, options: HcnCallOptions): Promise<void>;
  delete(kind: HcnKind, id: Guid, options: HcnCallOptions): Promise<void>;
  close(handle: HcnHandle, options: HcnCallOptions): Promise<void>;
  /** A version 1 call; returns the `Output` of its envelope. A refusal inside the envelope is thrown like any other. */
  callV1(request: { method: "GET" | "POST" | "DELETE"; path: string; body?: object }, options: HcnCallOptions): Promise<unknown>;
}
