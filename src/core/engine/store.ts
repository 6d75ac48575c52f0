import type { Guid } from "../base/ids.ts";
import type { IpamTransaction, ReleaseTime } from "../ipam/store.ts";
import type { Attachment, Phase } from "./attachment.ts";

/** Who holds a lease. A process is named by pid and start time, so a pid used again is another holder. */
export interface LeaseHolder {
  readonly pid: number;
  readonly startedAt: string;
  readonly bootId: string;
}

export interface LeaseRecord extends LeaseHolder {
  readonly attachment: Guid;
  /** `Clock.uptime()` of the boot of `bootId` after which the holder no longer counts. */
  readonly expiresAt: number;
}

/** One that waits for an address of a pool. Places count up in order of arrival. */
export interface WaiterRecord extends LeaseHolder {
  readonly place: number;
  readonly pool: string;
}

/**
 * What is known of an HNS network. `creating` is durable before HNS is asked to create it, so that one we made is known as ours
 * even when HNS chose its id; `verified` names what the last comparison with the configuration saw.
 */
export interface NetworkRecord {
  readonly name: string;
  readonly id: Guid | undefined;
  readonly isOurs: boolean;
  readonly isCreating: boolean;
  readonly verified: string;
  readonly hnsVersion: string;
}

/** Where a network stood when it was last seen to; "" for what was never known. */
export interface PlaceRecord {
  readonly network: string;
  readonly adapter: string;
  readonly managementIp: string;
}

/** An attachment that a look at HNS found to be gone: endpoint and namespace. */
export interface LeakRecord {
  readonly attachment: Guid;
  /** `updatedAt` of the attachment as it was seen; another value is another life of it, of which nothing is known. */
  readonly life: number;
  /** The first of the looks that all found it gone. */
  readonly since: ReleaseTime;
}

/** What an attachment, or a network, was asked for: enough to make it again as it was. */
export interface RequestRecord {
  /** Of the attachment, or of the network as we make it. */
  readonly id: Guid;
  /** The network configuration of the call as JSON text, without prevResult. */
  readonly config: string;
  /** The name by which the runtime called this program. */
  readonly program: string;
}

/** One transaction of the node's state: everything written in it becomes durable together. Short, and never open over an HCN call. */
export interface StateTransaction extends IpamTransaction {
  findAttachment(id: Guid): Attachment | undefined;
  /** One in phase gone has no request any more. */
  putAttachment(attachment: Attachment): void;
  /** Of every network unless one is named. */
  listAttachments(filter: { network?: string; phases?: readonly Phase[] }): Attachment[];
  /** Of every network, by phase: those that are gone are many more than the others, and are not read for it. */
  countAttachments(): Map<Phase, number>;
  /** Owners of assigned or quarantined addresses in the pools of `network` whose attachment is gone or was never recorded. */
  listOwnersWithoutAttachment(network: string): Guid[];
  /** Forgets attachments in phase gone that were last touched before `before` (wall time, ms). */
  pruneGone(before: number): void;
  findLease(attachment: Guid): LeaseRecord | undefined;
  putLease(lease: LeaseRecord): void;
  removeLease(attachment: Guid): void;
  listLeases(): LeaseRecord[];
  /** Of every network. */
  listLeaks(): LeakRecord[];
  putLeak(leak: LeakRecord): void;
  removeLeak(attachment: Guid): void;
  /** Returns the place. */
  addWaiter(waiter: Omit<WaiterRecord, "place">): number;
  /** In order of arrival. */
  listWaiters(pool: string): WaiterRecord[];
  removeWaiter(place: number): void;
  findNetwork(name: string): NetworkRecord | undefined;
  putNetwork(record: NetworkRecord): void;
  /** In order of their names. */
  listNetworks(): NetworkRecord[];
  findPlace(network: string): PlaceRecord | undefined;
  putPlace(place: PlaceRecord): void;
  removePlace(network: string): void;
  findRequest(id: Guid): RequestRecord | undefined;
  putRequest(record: RequestRecord): void;
}

export interface StateStore {
  /** Runs `work` in one write transaction; when it throws nothing of it remains. Throws STATE_FAILURE when the store cannot be used. */
  transaction<T>(work: (tx: StateTransaction) => T): T;
  /** As `transaction`, for reading alone; sees one consistent state and blocks no writer. */
  read<T>(work: (tx: StateTransaction) => T): T;
  close(): void;
}
