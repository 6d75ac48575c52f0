/** The shim's code under the tools that find what runs do not: static analysis of both compilers, a fuzzer, and what was built. */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shimFiles } from "../../../scripts/package/shim.ts";
import { LIMITS } from "../../../src/service/rpc/frame.ts";
import { buildTestShim, linuxShim, SANITIZED, shimReason, windowsShim } from "../../support/shim.ts";
import { describeUnless } from "../../support/skip.ts";
import { fuzzSeed } from "../fuzz/random.ts";
import { runProgram, sanitizerReason, STRICT } from "../emulator/build.ts";

const shimFolder = join(process.cwd(), "src/shim");
const rounds = process.env["HNS_CNI_LONG"] === "1" ? 20_000_000 : 400_000;
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hns-shim-code-"));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe.each([linuxShim, windowsShim])("the sources for $compiler", (target) => {
  describeUnless(shimReason(target), `under ${target.compiler}`, () => {
    test("give no warning, to the static analyser neither", async () => {
      await buildTestShim(target, join(folder, "analysed"), ["-O2", "-fanalyzer", ...target.flags]);
    }, 120_000);

    test("were built into a small program", () => {
      const file = join(process.cwd(), target.file);
      expect(shimFiles(process.cwd())).toContain(file);
      expect(statSync(file).size).toBeLessThan(target === windowsShim ? 64 * 1024 : 1024 * 1024);
    });
  });
});

describeUnless(shimReason(windowsShim), "the Windows shim", () => {
  const listing = (): Promise<string> =>
    runProgram("x86_64-w64-mingw32-objdump", ["-p", join(process.cwd(), windowsShim.file)]).then(({ stdout }) => stdout);

  test("needs only libraries of Windows", async () => {
    const names = [...(await listing()).matchAll(/DLL Name: (\S+)/g)].map((match) => match[1]?.toLowerCase());
    expect(names.sort()).toEqual(["advapi32.dll", "kernel32.dll", "msvcrt.dll"]);
  });

  test("starts without a cryptographic provider, which takes longer to load than the shim runs", async () => {
    expect(await listing()).not.toMatch(/\bCrypt\w+/);
  });

  test("may be put at any address, and has no data that can run", async () => {
    const text = await listing();
    expect(["HIGH_ENTROPY_VA", "DYNAMIC_BASE", "NX_COMPAT"].filter((flag) => !text.includes(flag))).toEqual([]);
  });
});

describeUnless(sanitizerReason(), "the shim's readers with AddressSanitizer and UndefinedBehaviorSanitizer", () => {
  test("take any bytes, and a failure always has its document", async () => {
    const program = join(folder, "fuzz");
    const sources = [join(process.cwd(), "test/system/shim/fuzz.c"), join(shimFolder, "shim.c")];
    expect(await runProgram("gcc", [...STRICT, ...SANITIZED, "-o", program, ...sources])).toMatchObject({ code: 0, stderr: "" });
    const seed = String(fuzzSeed());
    expect({ seed, ...(await runProgram(program, [String(rounds), seed])) }).toEqual({
      seed,
      code: 0,
      stdout: `${rounds} rounds\n`,
      stderr: "",
    });
  }, 600_000);
});

test("both sides have the same limits", () => {
  const header = readFileSync(join(shimFolder, "shim.h"), "utf8");
  const read = (name: string): number => {
    const [, value, shift] = new RegExp(`#define ${name} \\(?(\\d+)u(?: << (\\d+)\\))?`).exec(header) ?? [];
    return Number(value) * 2 ** Number(shift ?? 0);
  };
  const { body, stdin, stdout, stderr, text, variables } = LIMITS;
  expect(["MAX_BODY", "MAX_STDIN", "MAX_STDOUT", "MAX_STDERR", "MAX_TEXT", "MAX_VARIABLES"].map(read)).toEqual([
    body,
    stdin,
    stdout,
    stderr,
    text,
    variables,
  ]);
});
