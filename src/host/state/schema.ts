/**
 * The tables of state.db, one entry a schema version: version N is reached by running entries 1 to N in order. Entries are never
 * changed once released; a new version appends one. Every row ends with the checksum of its other columns.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE attachments (
    id TEXT PRIMARY KEY,
    network TEXT NOT NULL,
    container TEXT NOT NULL,
    ifname TEXT NOT NULL,
    netns TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN ('intent', 'created', 'attached', 'deleting', 'gone')),
    result TEXT,
    cancelled INTEGER NOT NULL CHECK (cancelled IN (0, 1)),
    boot_id TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    sum INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX attachments_by_network ON attachments (network, phase);
  CREATE INDEX attachments_gone ON attachments (updated_at) WHERE phase = 'gone';
  CREATE TABLE leases (
    attachment TEXT PRIMARY KEY,
    pid INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    expires_at REAL NOT NULL,
    sum INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE pools (
    id TEXT PRIMARY KEY,
    cidr TEXT NOT NULL,
    carved INTEGER NOT NULL CHECK (carved >= 0),
    version INTEGER NOT NULL,
    sum INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE blocks (
    pool TEXT NOT NULL,
    cidr TEXT NOT NULL,
    usable INTEGER NOT NULL,
    held INTEGER NOT NULL CHECK (held BETWEEN 0 AND usable),
    next INTEGER NOT NULL CHECK (next >= 0),
    version INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    PRIMARY KEY (pool, cidr)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX blocks_with_room ON blocks (pool, held) WHERE held < usable;
  CREATE TABLE addresses (
    pool TEXT NOT NULL,
    address TEXT NOT NULL,
    block TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('free', 'assigned', 'cooling', 'quarantined')),
    owner TEXT NOT NULL,
    released_wall INTEGER,
    released_uptime REAL,
    released_boot TEXT,
    sum INTEGER NOT NULL,
    PRIMARY KEY (pool, address)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX addresses_by_owner ON addresses (owner) WHERE owner <> '';
  CREATE INDEX addresses_free ON addresses (pool, block, released_wall) WHERE state = 'free';
  CREATE INDEX addresses_cooling ON addresses (pool, released_boot, released_uptime) WHERE state = 'cooling';
  CREATE TABLE networks (
    name TEXT PRIMARY KEY,
    hns_id TEXT,
    ours INTEGER NOT NULL CHECK (ours IN (0, 1)),
    creating INTEGER NOT NULL CHECK (creating IN (0, 1)),
    verified TEXT NOT NULL,
    hns_version TEXT NOT NULL,
    sum INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE waiters (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    pool TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    boot_id TEXT NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE pool_surplus (
    pool TEXT PRIMARY KEY,
    since_wall INTEGER NOT NULL,
    since_uptime REAL NOT NULL,
    since_boot TEXT NOT NULL,
    sum INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE block_claims (
    pool TEXT NOT NULL,
    cidr TEXT NOT NULL,
    node TEXT NOT NULL,
    version INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    PRIMARY KEY (pool, cidr)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE claim_versions (pool TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX block_claims_by_node ON block_claims (pool, node);
  `,
  `
  CREATE TABLE leaks (
    attachment TEXT PRIMARY KEY,
    life INTEGER NOT NULL,
    since_wall INTEGER NOT NULL,
    since_uptime REAL NOT NULL,
    since_boot TEXT NOT NULL,
    sum INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  // Rows that name no container keep the checksum they had: it is over these columns only where there is one.
  `
  ALTER TABLE addresses ADD COLUMN container TEXT;
  ALTER TABLE addresses ADD COLUMN ifname TEXT;
  ALTER TABLE addresses ADD COLUMN pod TEXT;
  ALTER TABLE addresses ADD COLUMN pod_uid TEXT;
  ALTER TABLE addresses ADD COLUMN sticky INTEGER NOT NULL DEFAULT 0 CHECK (sticky IN (0, 1));
  DROP INDEX addresses_free;
  CREATE INDEX addresses_free ON addresses (pool, block, sticky, released_wall) WHERE state = 'free';
  CREATE INDEX addresses_by_pod ON addresses (pod) WHERE sticky = 1;
  `,
  `
  CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    config TEXT NOT NULL,
    program TEXT NOT NULL,
    sum INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE places (
    network TEXT PRIMARY KEY,
    adapter TEXT NOT NULL,
    management_ip TEXT NOT NULL,
    sum INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
];
