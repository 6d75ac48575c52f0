import type { Argv } from "yargs";
import { explainText, listExplanations, type Explanation } from "../core/hcn/explain.ts";
import { outputOption, writeDocument, writeTable } from "./output.ts";
import { CliError, readInput, type CliWorld, type ExitCode, type Run } from "./world.ts";

type Format = "text" | "wide" | "json" | "yaml";

export interface ExplainArguments {
  /** Codes, or the words of a line; `-` stands for the lines of stdin. */
  readonly codes: readonly string[];
  readonly list: boolean;
  readonly output: Format;
}

const HOW =
  "give an HRESULT (0x803b0014, 2151350292, -2143617004), the name of an error, or a line of a log; --list shows all that are known";

export function addExplain(cli: Argv, run: Run): Argv {
  return cli.command(
    "explain [codes..]",
    "Say what an error code means and what to do about it",
    (yargs) =>
      yargs
        .positional("codes", {
          type: "string",
          array: true,
          default: [] as string[],
          describe: "HRESULTs, names of errors or a line of a log; - reads lines from standard input",
        })
        .option("list", { type: "boolean", default: false, describe: "list every known code" })
        .option("output", outputOption<"text" | "wide">(["text", "wide"])),
    // What follows a "--" comes separately.
    ({ codes, list, output, _: [, ...rest] }) => run((world) => explain(world, { codes: [...codes, ...rest.map(String)], list, output })),
  );
}

/** Exit code 1 when nothing known was found. Throws CliError when there is no code at all. */
export function explain(world: CliWorld, { codes, list, output }: ExplainArguments): ExitCode {
  if (list) {
    writeList(world, listExplanations(), output);
    return 0;
  }
  if (codes.length === 0) throw new CliError("nothing to explain", { why: "no code was given", next: HOW });
  const isStdin = codes.length === 1 && codes[0] === "-";
  const found = isStdin ? unique(readInput(world, "-").split("\n").flatMap(explainText)) : explainWords(codes);
  if (found.length === 0) {
    const what = isStdin ? "standard input" : `"${shorten(codes.join(" "))}"`;
    throw new CliError(`cannot explain ${what}`, { why: "it holds no code that is known here", next: HOW });
  }
  if (output === "text") world.writeOut(found.map(formatExplanation).join("\n"));
  else writeList(world, found, output);
  if (found.some(({ isKnown }) => isKnown)) return 0;
  world.writeError(`hns-cni: unknown code ${found.map(({ code }) => code).join(", ")}\n`);
  return 1;
}

/** Several codes, or the words of one line that the shell took apart. */
function explainWords(words: readonly string[]): Explanation[] {
  const each = words.map(explainText);
  return unique(each.every((found) => found.length > 0) ? each.flat() : explainText(words.join(" ")));
}

function unique(found: readonly Explanation[]): Explanation[] {
  return [...new Map(found.map((one) => [one.code, one])).values()];
}

function writeList(world: CliWorld, found: readonly Explanation[], output: Format): void {
  if (output === "json" || output === "yaml") {
    writeDocument(world, found, output);
    return;
  }
  const isWide = output === "wide";
  const titles = ["code", "name", "retry", "cni", ...(isWide ? ["cause", "remedy"] : [])];
  const rows = found.map(({ code, name, retry, cniCodes, cause, remedy }) => {
    return [code, name, retry, cniCodes.join(","), ...(isWide ? [cause, remedy] : [])];
  });
  writeTable(world, titles, rows);
}

function formatExplanation({ code, name, kind, cause, remedy, retry, cniCodes }: Explanation): string {
  const retries = { yes: "can help", no: "does not help", depends: "can help if the HRESULT allows it" };
  const numbers = cniCodes.join(" or ");
  return [
    kind === "error" ? code : `${code} ${name}`,
    `  Cause:    ${cause}`,
    `  Remedy:   ${remedy}`,
    `  Retry:    ${retries[retry]}`,
    `  CNI code: ${numbers}`,
    "",
  ].join("\n");
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
