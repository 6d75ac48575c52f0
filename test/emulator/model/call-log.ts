export interface CallRecord {
  readonly sequence: number;
  readonly pid: number;
  readonly name: string;
  readonly args: readonly (string | null)[];
  /** What the caller was told; null while (or because) it was told nothing. */
  hresult: number | null;
  /** The fault that met this call, if any. */
  fault: string | null;
}

/** Every export called since the last reset, in order of arrival. */
export class CallLog {
  #records: CallRecord[] = [];
  #sequence = 0;

  begin(name: string, args: readonly (string | null)[], pid: number): CallRecord {
    this.#sequence += 1;
    const record: CallRecord = { sequence: this.#sequence, pid, name, args, hresult: null, fault: null };
    this.#records.push(record);
    return record;
  }

  list(): CallRecord[] {
    return this.#records.map((record) => ({ ...record }));
  }

  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { name } of this.#records) counts[name] = (counts[name] ?? 0) + 1;
    return counts;
  }

  clear(): void {
    this.#records = [];
    this.#sequence = 0;
  }
}
