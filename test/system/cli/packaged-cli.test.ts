/** The command line inside the executable, and what docs/cli.md says of it. */
import { readFileSync } from "node:fs";
import { packagedReason, type ProgramResult, runPackaged } from "../../support/packaged.ts";
import { describeUnless } from "../../support/skip.ts";
import { runUnderWine, startWine, wineReason, type WineMachine } from "../../support/wine.ts";

const CONF = JSON.stringify({
  cniVersion: "1.1.0",
  name: "pods",
  type: "hns-cni",
  mode: "l2bridge",
  ipam: { type: "hns-cni", cidr: "10.244.3.0/24" },
});

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };

describeUnless(packagedReason(), "the packaged command line", () => {
  const run = (args: readonly string[], stdin = ""): Promise<ProgramResult> => runPackaged({ args, stdin });

  it.each([
    ["the version", ["--version"], "", `${version}\n`],
    ["the help", ["--help"], "", /^hns-cni <command>\n[^]*\nCommands:\n/],
    ["the help when nothing is asked", [], "", /\nCommands:\n/],
    ["all versions", ["version", "-o", "json"], "", /"cniVersions": \[\s+"0\.1\.0"/],
    ["an HRESULT", ["explain", "0x803b0014"], "", /^0x803b0014 HCN_E_ENDPOINT_ALREADY_ATTACHED\n/],
    ["a negative HRESULT", ["explain", "-2143617004"], "", /^0x803b0014 /],
    ["several codes", ["explain", "hns_timeout", "0x80070490", "-o", "wide"], "", /\nHNS_TIMEOUT [^]*\n0x80070490 /],
    ["the words of a line", ["explain", "failed:", "--code=1", "-x", "0x803b0014"], "", /^0x803b0014 /],
    ["lines on stdin", ["explain", "-"], 'a\n{"code":"HNS_TIMEOUT"}\n', /^HNS_TIMEOUT\n/],
    ["a configuration on stdin", ["config", "validate", "-"], CONF, /^-: valid/],
    ["a configuration under the noun's older name", ["conf", "validate", "-"], CONF, /^-: valid/],
    ["a key of the configuration", ["config", "explain", "ipam.cidr"], "", /^ipam\.cidr\n[^]*Example: +"10\.244\.3\.0\/24"\n/],
    ["a configuration with its defaults", ["config", "show", "--effective", "-", "-o", "yaml"], CONF, /\nstateDir: \/var\/lib\/hns-cni\n/],
  ])("answers with %s", async (_name, args, stdin, expected) => {
    const result = await run(args, stdin);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    if (typeof expected === "string") expect(result.stdout).toBe(expected);
    else expect(result.stdout).toMatch(expected);
  });

  it.each([
    ["an unknown code", 1, ["explain", "bogus"], /cannot explain "bogus"/],
    ["a file that is not there", 1, ["config", "validate", "/nowhere"], /cannot read \/nowhere: ENOENT[^]*name a file/],
    ["a file that is no JSON", 1, ["config", "show", "-"], /is no JSON/],
    ["an unknown command", 2, ["frobnicate"], /Unknown argument: frobnicate\nsee hns-cni --help/],
    ["an unknown option", 2, ["version", "--frobnicate"], /Unknown argument: --frobnicate/],
    ["a noun without a verb", 2, ["config"], /validate, show, explain, convert or generate/],
    ["a missing argument", 2, ["config", "validate"], /Not enough/],
    ["an argument too many", 2, ["config", "validate", "a", "b"], /Unknown argument: b/],
    ["an unknown form", 2, ["version", "-o", "xml"], /Invalid values/],
  ])("fails for %s with exit code %d, and says so on stderr alone", async (_name, code, args, expected) => {
    const result = await run(args);
    expect(result).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(expected) as string });
  });

  it("answers a runtime, not a person, when a CNI variable is there", async () => {
    const result = await runPackaged({ args: ["--version"], env: { CNI_COMMAND: "VERSION" } });
    expect(JSON.parse(result.stdout)).toHaveProperty("supportedVersions");
  });

  it("has the commands and forms that docs/cli.md describes, and no others", async () => {
    const commands = await listCommands(run, []);
    const text = readFileSync("docs/cli.md", "utf8");
    const sections = text.split(/^## /m).slice(1);
    expect(sections.map((section) => section.slice(0, section.indexOf("\n"))).sort()).toEqual(
      commands.map(({ name }) => `hns-cni ${name}`).sort(),
    );
    for (const { name, forms } of commands) {
      const section = sections.find((one) => one.startsWith(`hns-cni ${name}\n`)) ?? "";
      const described = /^`-o`: (.+)\.$/m.exec(section.replaceAll(/\. .*$/gm, "."))?.[1] ?? "";
      expect([name, ...(described.match(/(?<=`)\w+(?=`)/g) ?? [])]).toEqual([name, ...forms]);
    }
  });
});

interface CommandHelp {
  readonly name: string;
  /** What -o takes, the default first. */
  readonly forms: readonly string[];
}

/** The commands that the program's help names, down to those that have none below. */
async function listCommands(run: (args: readonly string[]) => Promise<ProgramResult>, path: readonly string[]): Promise<CommandHelp[]> {
  const { stdout } = await run([...path, "--help"]);
  const names = Array.from(stdout.matchAll(/^ {2}hns-cni (\w+(?: \w+)*)/gm), (match) => match[1] ?? "");
  if (names.length > 0) return (await Promise.all(names.map((name) => listCommands(run, name.split(" "))))).flat();
  const choices = /--output[^]*?choices:([^\]]+)\]/.exec(stdout)?.[1] ?? "";
  return [{ name: path.join(" "), forms: choices.match(/\w+/g) ?? [] }];
}

describeUnless(wineReason(), "the command line under Wine", () => {
  let machine: WineMachine;

  beforeAll(async () => {
    machine = await startWine();
  }, 240_000);

  it("explains, checks a configuration and knows wrong usage", async () => {
    const explained = await runUnderWine(machine, { args: ["explain", "-2143617004"] });
    expect({ ...explained, stdout: explained.stdout.split("\n")[0] }).toEqual({
      code: 0,
      stderr: "",
      stdout: "0x803b0014 HCN_E_ENDPOINT_ALREADY_ATTACHED",
    });
    const shown = await runUnderWine(machine, { args: ["config", "show", "-"], stdin: CONF });
    expect(shown).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(shown.stdout)).toMatchObject({
      stateDir: "C:\\ProgramData\\hns-cni",
      logFile: "C:\\ProgramData\\hns-cni\\hns-cni.log",
    });
    expect(await runUnderWine(machine, { args: ["frobnicate"] })).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("Unknown argument") as string,
    });
  }, 120_000);
});
