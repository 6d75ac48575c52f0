import type { TreeStyle } from "../core/topology/tree.ts";

/** What is known of where the answers go. */
export interface TerminalFacts {
  /** Standard output is a terminal. */
  readonly isTerminal: boolean;
  readonly isWindows: boolean;
  /** The environment. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/**
 * How lines are drawn when `charset` does not say. Colours: on a terminal, unless NO_COLOR is set or the terminal is a dumb one.
 * ASCII: on Windows, whose consoles and shells read what programs write in a code page of their own, and on terminals of another
 * character set than UTF-8.
 */
export function chooseStyle(facts: TerminalFacts, charset: TreeStyle["charset"] | undefined): TreeStyle {
  const { isTerminal, variables } = facts;
  const isPlain = (variables["NO_COLOR"] ?? "") !== "" || variables["TERM"] === "dumb";
  return { charset: charset ?? chooseCharset(facts), hasColours: isTerminal && !isPlain };
}

function chooseCharset({ isTerminal, isWindows, variables }: TerminalFacts): TreeStyle["charset"] {
  if (isWindows) return "ascii";
  if (!isTerminal) return "utf8";
  const locale = [variables["LC_ALL"], variables["LC_CTYPE"], variables["LANG"]].find((value) => (value ?? "") !== "") ?? "";
  return /utf-?8/i.test(locale) ? "utf8" : "ascii";
}
