/** A value as SQLite keeps it. */
export type Cell = string | number | null;

/** A row as SQLite gives it; what a column holds is for its reader to check. */
export type Row = Readonly<Record<string, unknown>>;
