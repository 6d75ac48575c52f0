import type { Argv } from "yargs";
import { COMMANDS } from "./completion-words.ts";
import type { ExitCode, CliWorld, Run } from "./world.ts";

export function addCompletion(cli: Argv, run: Run): Argv {
  return cli.command(
    "completion <shell>",
    "Print a script that completes the commands in a shell",
    (sub) => sub.positional("shell", { choices: ["powershell", "bash"] as const, demandOption: true, describe: "which shell" }),
    ({ shell }) => run((world) => printCompletion(world, shell)),
  );
}

export function printCompletion(world: CliWorld, shell: "powershell" | "bash"): ExitCode {
  world.writeOut(shell === "bash" ? buildBash() : buildPowerShell());
  return 0;
}

/** For `source <(hns-cni completion bash)`. */
function buildBash(): string {
  const cases = Object.entries(COMMANDS).map(([noun, verbs]) => `    ${noun}) words="${verbs.join(" ")}" ;;`);
  return [
    "_hns_cni() {",
    '  local word="${COMP_WORDS[COMP_CWORD]}" words=""',
    '  case "$COMP_CWORD:${COMP_WORDS[1]}" in',
    `    1:*) words="${Object.keys(COMMANDS).join(" ")} --help --version" ;;`,
    "  esac",
    '  [ "$COMP_CWORD" = 2 ] && case "${COMP_WORDS[1]}" in',
    ...cases,
    "  esac",
    '  case "$word" in -*) words="$words --output --help" ;; esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
    '  [ -n "$COMPREPLY" ] || COMPREPLY=($(compgen -f -- "$word"))',
    "}",
    "complete -F _hns_cni hns-cni hns-cni.exe",
    "",
  ].join("\n");
}

/** For `hns-cni completion powershell | Out-String | Invoke-Expression`. */
function buildPowerShell(): string {
  const list = (words: readonly string[]): string => `@(${words.map((word) => `'${word}'`).join(", ")})`;
  return [
    "Register-ArgumentCompleter -Native -CommandName 'hns-cni', 'hns-cni.exe' -ScriptBlock {",
    "    param($wordToComplete, $commandAst, $cursorPosition)",
    "    $verbs = @{",
    ...Object.entries(COMMANDS).map(([noun, verbs]) => `        '${noun}' = ${list(verbs)}`),
    "    }",
    "    $typed = @($commandAst.CommandElements | ForEach-Object { $_.ToString() })",
    "    $place = if ($wordToComplete) { $typed.Count - 1 } else { $typed.Count }",
    "    $words = if ($place -le 1) { @($verbs.Keys) } elseif ($place -eq 2 -and $verbs.ContainsKey($typed[1])) { $verbs[$typed[1]] } else { @() }",
    '    $words | Sort-Object | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {',
    "        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)",
    "    }",
    "}",
    "",
  ].join("\n");
}
