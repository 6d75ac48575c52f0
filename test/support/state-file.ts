/** state.db as it lies on the disk, read without the product's own code. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface AttachmentRow {
  readonly id: string;
  readonly container: string;
  readonly endpoint: string;
  readonly phase: string;
}

export interface AddressRow {
  readonly address: string;
  readonly state: string;
  readonly owner: string;
}

export interface StateRows {
  readonly attachments: readonly AttachmentRow[];
  readonly addresses: readonly AddressRow[];
  readonly leases: number;
  readonly networks: readonly { readonly name: string; readonly hns_id: string }[];
}

const NOTHING: StateRows = { attachments: [], addresses: [], leases: 0, networks: [] };

/** The rows of the state in `folder`; none at all where no state was ever written. */
export function readState(folder: string): StateRows {
  const path = join(folder, "state.db");
  if (!existsSync(path)) return NOTHING;
  const database = new DatabaseSync(path);
  try {
    // The columns are those of the statement, and their types those of the product's strict tables.
    const rows = <T>(sql: string): T[] => database.prepare(sql).all() as unknown as T[];
    return {
      attachments: rows<AttachmentRow>("SELECT id, container, endpoint, phase FROM attachments ORDER BY id").map((row) => ({ ...row })),
      addresses: rows<AddressRow>("SELECT address, state, owner FROM addresses ORDER BY address").map((row) => ({ ...row })),
      leases: rows<{ total: number }>("SELECT count(*) AS total FROM leases")[0]?.total ?? 0,
      networks: rows<StateRows["networks"][number]>("SELECT name, hns_id FROM networks").map((row) => ({ ...row })),
    };
  } finally {
    database.close();
  }
}
