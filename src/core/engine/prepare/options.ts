import type { AttachableConfig } from "../../config/plugin-config.ts";
import type { NetworkDocument } from "../../hcn/documents.ts";
import type { EngineOptions } from "../operation.ts";
import type { SnapshotFile } from "./snapshot.ts";
import type { Uplink, UplinkAccess } from "./uplink.ts";

export interface PrepareOptions {
  readonly engine: EngineOptions;
  /** Of the network to make; without a mode, one of its name has to exist. */
  readonly config: AttachableConfig;
  readonly uplinks: UplinkAccess;
  readonly file: SnapshotFile;
  /** How long the node's addresses may take to come back by themselves, milliseconds. */
  readonly timeoutMs: number;
  readonly dryRun: boolean;
  /** Says what is done while it is done. */
  readonly tell: (line: string) => void;
  /** Somebody wants this to end: what was begun is taken back. */
  readonly isInterrupted: () => boolean;
}

/**
 * prepared: the switch is there and the uplink as before · standing: there was one already · planned: a dry run · incomplete: the node is
 * connected, and `missing` could not be given back; the snapshot stays, so that another prepare goes on with it.
 */
export interface PrepareReport {
  readonly outcome: "prepared" | "standing" | "planned" | "incomplete";
  /** The HNS network that was made, or that stands. */
  readonly network: string;
  readonly adapter: string | undefined;
  /** An earlier prepare was ended first. */
  readonly isResumed: boolean;
  readonly before: Uplink | undefined;
  readonly after: Uplink | undefined;
  /** The gateways that answered before. */
  readonly gateways: readonly string[];
  readonly restored: readonly string[];
  readonly missing: readonly string[];
  /** What is otherwise than before and was left so. */
  readonly changes: readonly string[];
  /** What HNS would be asked to make. */
  readonly document: NetworkDocument | undefined;
  readonly plan: readonly string[];
}

/** A report in which nothing has happened. */
export const NOTHING: Omit<PrepareReport, "outcome" | "network" | "adapter"> = {
  isResumed: false,
  before: undefined,
  after: undefined,
  gateways: [],
  restored: [],
  missing: [],
  changes: [],
  document: undefined,
  plan: [],
};
