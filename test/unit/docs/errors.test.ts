import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errorCatalogue } from "../../../src/core/base/error-catalogue.ts";
import { PluginError } from "../../../src/core/base/errors.ts";
import type { ErrorCode } from "../../../src/core/base/errors.ts";
import { buildErrorObject } from "../../../src/core/cni/error-object.ts";
import { describeHresult, formatHresult, listHresults } from "../../../src/core/hcn/hresults.ts";

/** The document's entries of one section: heading text → the `- Key: value` lines under it. */
function readSection(title: string): Map<string, Record<string, string>> {
  const text = readFileSync(join(process.cwd(), "docs/errors.md"), "utf8");
  const section = text.split(/^## /m).find((part) => part.startsWith(`${title}\n`));
  if (section === undefined) throw new Error(`docs/errors.md has no section "${title}"`);
  const entries = section.split(/^### /m).slice(1);
  const headings = entries.map((entry) => entry.slice(0, entry.indexOf("\n")));
  expect(headings).toEqual([...new Set(headings)]);
  return new Map(entries.map((entry, index) => [headings[index] ?? "", readLines(entry)]));
}

function readLines(entry: string): Record<string, string> {
  const matches = entry.matchAll(/^- ([^:]+): (.+)$/gm);
  return Object.fromEntries(Array.from(matches, (match) => [match[1] ?? "", match[2] ?? ""]));
}

/** The number that a runtime sees, from the program itself. */
function cniCode(code: ErrorCode, retryable: boolean): number {
  const error = new PluginError(code, { message: "failed" }, { retryable });
  return buildErrorObject(error, { command: "ADD", cniVersion: "1.1.0", stage: "handler" }).code;
}

function describeCniCode(code: ErrorCode): string {
  const [first, last] = [cniCode(code, true), cniCode(code, false)];
  return first === last ? String(last) : `${first} or ${last} (${first} when the HRESULT is retryable, else ${last})`;
}

describe("docs/errors.md", () => {
  const errors = readSection("Errors of the plugin");
  const hresults = readSection("HRESULTs of HNS");

  test("lists the plugin's error codes, all and no others", () => {
    expect([...errors.keys()].sort()).toEqual(Object.keys(errorCatalogue).sort());
  });

  test.each(Object.entries(errorCatalogue))("tells number, cause and remedy of %s as the program does", (code, entry) => {
    expect(errors.get(code)).toEqual({ "CNI code": describeCniCode(code as ErrorCode), Cause: entry.cause, Remedy: entry.remedy });
  });

  test("explains every number that a command can answer with, and no others", () => {
    const text = readFileSync(join(process.cwd(), "docs/errors.md"), "utf8");
    const listed = Array.from(text.matchAll(/^\| (\d+) \|/gm), (match) => Number(match[1]));
    const codes = Object.keys(errorCatalogue) as ErrorCode[];
    const used = new Set([50, 51, ...codes.flatMap((code) => [cniCode(code, true), cniCode(code, false)])]);
    expect(listed).toEqual([...used].sort((left, right) => left - right));
  });

  test("lists the HRESULTs of the table, all and no others", () => {
    const table = listHresults().map((code) => `${formatHresult(code)} ${describeHresult(code).name}`);
    expect([...hresults.keys()].sort()).toEqual(table.sort());
  });

  test.each(listHresults().map((code) => [formatHresult(code), code] as const))(
    "tells cause, remedy and retryability of %s as the program does",
    (text, code) => {
      const entry = describeHresult(code);
      expect(hresults.get(`${text} ${entry.name}`)).toEqual({
        Cause: entry.cause,
        Remedy: entry.remedy,
        Retryable: entry.retryable ? "yes" : "no",
      });
    },
  );
});
