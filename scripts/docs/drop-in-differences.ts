/** The table of docs/drop-in.md that says in which fields pods differ from those of the reference plugins. */
import { DIFFERENCES, type ExpectedDifference, listConfs, policiesReason } from "../../test/peers/drop-in-differences.ts";
import { renderTable } from "./markdown.ts";

const WITHOUT_POLICIES = "A configuration with `policies` has to be converted first: this version passes the key over.";
const TITLES = ["field", "theirs", "ours", "where", "why"];

/** Configurations that this version cannot read are left out. */
export function renderDifferences(): string {
  const known = listConfs().map(({ title }) => title);
  const rows = DIFFERENCES.map(({ confs, ...rest }) => ({ ...rest, confs: confs.filter((title) => known.includes(title)) }));
  const table = renderTable(
    TITLES,
    rows.filter(({ confs }) => confs.length > 0).map((row) => renderRow(row, known.length)),
  );
  return policiesReason() === undefined ? table : `${table}\n\n${WITHOUT_POLICIES}`;
}

function renderRow({ field, theirs, ours, why, confs }: ExpectedDifference, all: number): string[] {
  return [`\`${field}\``, code(theirs), code(ours), confs.length === all ? "everywhere" : confs.join("; "), why];
}

function code(text: string): string {
  return text === "absent" || text === "none" ? text : `\`${text}\``;
}
