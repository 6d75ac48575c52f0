import { execFileSync } from "node:child_process";
import { packagedReason, runPackaged } from "../../support/packaged.ts";
import { describeUnless } from "../../support/skip.ts";
import { COMMANDS } from "../../../src/cli/completion-words.ts";

async function print(...args: string[]): Promise<string> {
  return (await runPackaged({ args })).stdout;
}

/** The commands that a help lists. */
function listed(help: string): string[] {
  const lines = help.split("\nCommands:\n")[1]?.split("\n\n")[0]?.split("\n") ?? [];
  return lines.flatMap((line) => /^ {2}hns-cni (?:\w+ )?([a-z-]+)/.exec(line)?.[1] ?? []);
}

describeUnless(packagedReason(), "completion", () => {
  test("knows every command of the parser, and no other", async () => {
    expect(listed(await print("--help")).sort()).toEqual(Object.keys(COMMANDS).sort());
  });

  test.each(Object.entries(COMMANDS).filter(([noun, verbs]) => noun !== "completion" && noun !== "reconcile" && verbs.length > 0))(
    "knows every verb of %s",
    async (noun, verbs) => {
      const help = await print(noun, "--help");
      const found = help.split("\n").flatMap((line) => new RegExp(`^ {2}hns-cni ${noun} ([a-z]+)`).exec(line)?.[1] ?? []);
      expect(found.sort()).toEqual([...verbs].sort());
    },
  );

  test.each([
    ["ag", 1, ["hns-cni", "ag"], "agent"],
    ["", 2, ["hns-cni", "attachment", ""], "list show"],
    ["--o", 2, ["hns-cni", "status", "--o"], "--output"],
  ])("bash completes %j as word %i", async (_word, place, words, expected) => {
    const script = await print("completion", "bash");
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const ask = `${script}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${place}; _hns_cni; echo "\${COMPREPLY[*]}"`;
    expect(execFileSync("bash", ["-c", ask], { encoding: "utf8" }).trim()).toBe(expected);
  });

  test("PowerShell is given the same words", async () => {
    const script = await print("completion", "powershell");
    expect(script).toContain("Register-ArgumentCompleter -Native -CommandName 'hns-cni', 'hns-cni.exe'");
    for (const [noun, verbs] of Object.entries(COMMANDS)) {
      expect(script).toContain(`'${noun}' = @(${verbs.map((verb) => `'${verb}'`).join(", ")})`);
    }
  });
});
