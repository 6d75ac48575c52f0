import { compareIp, findCidr } from "../../src/core/base/ip.ts";
import {
  type AddressCounts,
  type AddressRecord,
  type BlockRecord,
  type IpamTransaction,
  podKey,
  type PoolRecord,
  type ReleaseTime,
} from "../../src/core/ipam/store.ts";

/** The IPAM's tables in this process, small and fast, for runs of very many steps. A transaction that throws leaves nothing behind. */
export class MemoryIpam {
  readonly #tables = {
    pools: new Map<string, PoolRecord>(),
    blocks: new Map<string, BlockRecord>(),
    addresses: new Map<string, AddressRecord>(),
    surplus: new Map<string, ReleaseTime>(),
  };

  transaction<T>(work: (tx: IpamTransaction) => T): T {
    const undo: (() => void)[] = [];
    try {
      return work(new MemoryTransaction(this.#tables, undo));
    } catch (thrown) {
      for (const step of undo.reverse()) step();
      throw thrown;
    }
  }
}

interface Tables {
  readonly pools: Map<string, PoolRecord>;
  readonly blocks: Map<string, BlockRecord>;
  readonly addresses: Map<string, AddressRecord>;
  readonly surplus: Map<string, ReleaseTime>;
}

class MemoryTransaction implements IpamTransaction {
  readonly #tables: Tables;
  readonly #undo: (() => void)[];

  constructor(tables: Tables, undo: (() => void)[]) {
    this.#tables = tables;
    this.#undo = undo;
  }

  findPool(id: string): PoolRecord | undefined {
    return this.#tables.pools.get(id);
  }

  listPools(): PoolRecord[] {
    return [...this.#tables.pools.values()];
  }

  swapPool(pool: PoolRecord, expected: number | undefined): boolean {
    if (this.findPool(pool.id)?.version !== expected) return false;
    this.#put(this.#tables.pools, pool.id, pool);
    return true;
  }

  findBlock(pool: string, cidr: string): BlockRecord | undefined {
    return this.#tables.blocks.get(`${pool} ${cidr}`);
  }

  findFullestBlock(pool: string): BlockRecord | undefined {
    return this.listRoomiest(pool, Infinity).at(-1);
  }

  listRoomiest(pool: string, limit: number): BlockRecord[] {
    const found = [...this.#tables.blocks.values()].filter((block) => block.pool === pool && block.held < block.usable);
    return found.sort((left, right) => left.held - right.held).slice(0, limit);
  }

  listBlocks(pool: string): BlockRecord[] {
    const found = [...this.#tables.blocks.values()].filter((block) => block.pool === pool);
    return found.sort((left, right) => {
      const [one, two] = [findCidr(left.cidr), findCidr(right.cidr)];
      return one === undefined || two === undefined ? 0 : compareIp(one.address, two.address);
    });
  }

  swapBlock(block: BlockRecord, expected: number | undefined): boolean {
    if (this.findBlock(block.pool, block.cidr)?.version !== expected) return false;
    this.#put(this.#tables.blocks, `${block.pool} ${block.cidr}`, block);
    return true;
  }

  removeBlock(pool: string, cidr: string, expected: number): boolean {
    const block = this.findBlock(pool, cidr);
    if (block?.version !== expected || block.held !== 0) return false;
    this.#put(this.#tables.blocks, `${pool} ${cidr}`, undefined);
    for (const record of this.listAddresses(pool)) if (record.block === cidr) this.removeAddress(pool, record.address);
    return true;
  }

  findAddress(pool: string, address: string): AddressRecord | undefined {
    return this.#tables.addresses.get(`${pool} ${address}`);
  }

  findOldestFree(pool: string, block: string): AddressRecord | undefined {
    const free = this.listAddresses(pool).filter((record) => record.block === block && record.state === "free");
    const at = ({ released }: AddressRecord): number => released?.wallMs ?? Number.MIN_SAFE_INTEGER;
    const isKept = ({ holder }: AddressRecord): number => (holder?.isSticky === true ? 1 : 0);
    return free.sort((left, right) => isKept(left) - isKept(right) || at(left) - at(right))[0];
  }

  listCooling(pool: string, bootId: string, limit: number): AddressRecord[] {
    const cooling = [...this.#tables.addresses.values()].filter((record) => record.pool === pool && record.state === "cooling");
    const isOld = ({ released }: AddressRecord): number => (released?.bootId === bootId ? 1 : 0);
    return cooling
      .sort((left, right) => isOld(left) - isOld(right) || (left.released?.uptimeMs ?? 0) - (right.released?.uptimeMs ?? 0))
      .slice(0, limit);
  }

  listOwned(owner: string): AddressRecord[] {
    return owner === "" ? [] : [...this.#tables.addresses.values()].filter((record) => record.owner === owner);
  }

  listAddresses(pool: string): AddressRecord[] {
    return [...this.#tables.addresses.values()].filter((record) => record.pool === pool);
  }

  listSticky(pod: string): AddressRecord[] {
    const isOfPod = ({ holder }: AddressRecord): boolean => holder?.pod !== undefined && holder.isSticky && podKey(holder.pod) === pod;
    return [...this.#tables.addresses.values()].filter(isOfPod);
  }

  putAddress(record: AddressRecord): void {
    this.#put(this.#tables.addresses, `${record.pool} ${record.address}`, record);
  }

  removeAddress(pool: string, address: string): void {
    this.#put(this.#tables.addresses, `${pool} ${address}`, undefined);
  }

  countAddresses(pool: string): AddressCounts {
    const counts = { free: 0, assigned: 0, cooling: 0, quarantined: 0 };
    for (const { state } of this.listAddresses(pool)) counts[state] += 1;
    return counts;
  }

  findSurplus(pool: string): ReleaseTime | undefined {
    return this.#tables.surplus.get(pool);
  }

  putSurplus(pool: string, since: ReleaseTime | undefined): void {
    this.#put(this.#tables.surplus, pool, since);
  }

  #put<T>(table: Map<string, T>, key: string, value: T | undefined): void {
    const before = table.get(key);
    this.#undo.push(() => (before === undefined ? table.delete(key) : table.set(key, before)));
    if (value === undefined) table.delete(key);
    else table.set(key, value);
  }
}
