import type { PodIdentity } from "../cni/arguments.ts";

/**
 * What a pool is made of: blocks carved from its CIDR, and one record for every address that was ever handed out.
 * An address without a record was never used. All values are plain data, so that any store can hold them.
 */
export interface PoolRecord {
  readonly id: string;
  readonly cidr: string;
  /** Offset in the CIDR up to which blocks have been carved; the next block starts here or later. */
  readonly carved: number;
  readonly version: number;
}

export interface BlockRecord {
  readonly pool: string;
  readonly cidr: string;
  /** Addresses that may be handed out: the size less the reserved ones. */
  readonly usable: number;
  /** Addresses that are not free: assigned, cooling or quarantined. */
  readonly held: number;
  /** The lowest offset that was never handed out; equal to the block's size once all were. */
  readonly next: number;
  readonly version: number;
}

export type AddressState = "free" | "assigned" | "cooling" | "quarantined";

/** When an address was given back: wall time to survive a reboot, uptime within the boot so that no clock change bends the rest. */
export interface ReleaseTime {
  readonly wallMs: number;
  readonly uptimeMs: number;
  readonly bootId: string;
}

export interface AddressRecord {
  readonly pool: string;
  readonly address: string;
  readonly block: string;
  readonly state: AddressState;
  /** The attachment that holds it; also the last one of a cooling or quarantined address. */
  readonly owner: string;
  readonly released: ReleaseTime | undefined;
  /** What is known of the owner; of a free address the last one, where the address is kept in mind for its pod. */
  readonly holder?: Holder;
}

/** Who an owner is, for people and for pods that come back. */
export interface Holder {
  readonly containerId: string;
  readonly ifname: string;
  /** Absent where the runtime did not tell. */
  readonly pod?: PodIdentity;
  /** The pod shall get its address back. Only with `pod`. */
  readonly isSticky: boolean;
}

/** The same for every sandbox of a pod, and for the pod that follows it under its name. */
export function podKey({ namespace, name }: PodIdentity): string {
  return `${namespace}/${name}`;
}

export type AddressCounts = Readonly<Record<AddressState, number>>;

/**
 * The IPAM's view of one store transaction: everything read and written here becomes durable together or not at all.
 * Writes of pools and blocks compare and swap on the version, so the same rules hold over a store whose readers do not lock.
 */
export interface IpamTransaction {
  findPool(id: string): PoolRecord | undefined;
  /** Writes `pool` when the stored version is `expected` (undefined: when there is none); false when somebody was quicker. */
  swapPool(pool: PoolRecord, expected: number | undefined): boolean;
  findBlock(pool: string, cidr: string): BlockRecord | undefined;
  /** The block with the most held addresses that still has one to give. */
  findFullestBlock(pool: string): BlockRecord | undefined;
  swapBlock(block: BlockRecord, expected: number | undefined): boolean;
  /** Blocks with an address to give, those with the fewest held first. */
  listRoomiest(pool: string, limit: number): BlockRecord[];
  /** Forgets a block of which nothing is held, with its addresses; false when it is not of the version `expected` any more. */
  removeBlock(pool: string, cidr: string, expected: number): boolean;
  /** All blocks of the pool, lowest address first. For people: the cost grows with the pool. */
  listBlocks(pool: string): BlockRecord[];
  /** All addresses of the pool that have a record, in no order. For people: the cost grows with the pool. */
  listAddresses(pool: string): AddressRecord[];
  /** Since when the pool has had more blocks than it needs. */
  findSurplus(pool: string): ReleaseTime | undefined;
  /** Undefined forgets it. */
  putSurplus(pool: string, since: ReleaseTime | undefined): void;
  findAddress(pool: string, address: string): AddressRecord | undefined;
  /** The free address of `block` that was released longest ago; one kept in mind for a pod only where there is no other. */
  findOldestFree(pool: string, block: string): AddressRecord | undefined;
  /** Cooling addresses: those released in other boots than `bootId` first, then by uptime of release. */
  listCooling(pool: string, bootId: string, limit: number): AddressRecord[];
  listOwned(owner: string): AddressRecord[];
  /** The addresses kept in mind for the pod of that key, whatever their state. */
  listSticky(pod: string): AddressRecord[];
  putAddress(record: AddressRecord): void;
  /** Forgets an address: it counts as never used only where the block's cursor has not passed it. */
  removeAddress(pool: string, address: string): void;
  countAddresses(pool: string): AddressCounts;
  listPools(): PoolRecord[];
}
