import { chooseStyle, type TerminalFacts } from "../../../src/cli/terminal.ts";

const facts = (changes: Partial<TerminalFacts> & { variables?: Record<string, string> }): TerminalFacts => ({
  isTerminal: true,
  isWindows: false,
  variables: { LANG: "C.UTF-8" },
  ...changes,
});

it.each([
  ["a terminal", {}, true],
  ["a file or a pipe", { isTerminal: false }, false],
  ["NO_COLOR", { variables: { NO_COLOR: "1" } }, false],
  ["NO_COLOR without a value", { variables: { NO_COLOR: "" } }, true],
  ["a dumb terminal", { variables: { TERM: "dumb" } }, false],
  ["a terminal of Windows", { isWindows: true }, true],
])("colours: %s", (_name, changes, expected) => expect(chooseStyle(facts(changes), undefined).hasColours).toBe(expected));

it.each([
  ["a terminal in UTF-8", {}, "utf8"],
  ["a terminal in another set", { variables: { LANG: "de_DE.ISO-8859-1" } }, "ascii"],
  ["a terminal that says nothing", { variables: {} }, "ascii"],
  ["LC_ALL over the others", { variables: { LC_ALL: "C", LC_CTYPE: "C.utf8", LANG: "C.UTF-8" } }, "ascii"],
  ["an empty LC_ALL, which counts for nothing", { variables: { LC_ALL: "", LANG: "C.utf8" } }, "utf8"],
  ["a file or a pipe", { isTerminal: false, variables: {} }, "utf8"],
  ["Windows", { isWindows: true }, "ascii"],
  ["a pipe of Windows", { isWindows: true, isTerminal: false }, "ascii"],
])("characters: %s", (_name, changes, expected) => expect(chooseStyle(facts(changes), undefined).charset).toBe(expected));

it("what is asked for counts", () => {
  expect(chooseStyle(facts({}), "ascii").charset).toBe("ascii");
  expect(chooseStyle(facts({ isWindows: true }), "utf8").charset).toBe("utf8");
});
