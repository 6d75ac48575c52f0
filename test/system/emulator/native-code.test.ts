/** The native library under the tools that find what tests do not: sanitizers, a fuzzer, static analysis. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EmulatorClient } from "../../emulator/client.ts";
import { EXPORTS } from "../../emulator/model/exports.ts";
import { buildEmulator, LINUX_SOURCES } from "../../emulator/native/build.ts";
import { describeUnless } from "../../support/skip.ts";
import { here, isInstalled, nativeFolder, runProgram, SANITIZERS, sanitizerReason, STRICT } from "./build.ts";

const sources = LINUX_SOURCES.map((source) => join(nativeFolder, source));
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hns-native-code-"));
});

afterAll(() => rm(folder, { recursive: true }));

async function compile(name: string, files: readonly string[]): Promise<string> {
  const program = join(folder, name);
  const built = await runProgram("gcc", [...STRICT, ...SANITIZERS, "-o", program, ...files, "-pthread"]);
  expect(built).toMatchObject({ code: 0, stderr: "" });
  return program;
}

describeUnless(sanitizerReason(), "the native library with AddressSanitizer and UndefinedBehaviorSanitizer", () => {
  test("a client that calls every export leaks nothing and touches nothing it should not", async () => {
    const program = await compile("client", [join(here, "client.c"), ...sources]);
    const emulator = await EmulatorClient.start();
    try {
      const ended = await runProgram(program, [], { HNS_EMULATOR_ADDRESS: emulator.address });
      expect(ended).toEqual({ code: 0, stdout: "every call gave what it should\n", stderr: "" });
      expect(Object.keys(await emulator.counts()).sort()).toEqual([...EXPORTS.keys(), "HNSCall"].sort());
      expect(await emulator.handles()).toEqual([]);
    } finally {
      await emulator.close();
    }
  });

  test("the reader of frames takes any bytes", async () => {
    const program = await compile("fuzz", [join(here, "fuzz.c"), ...sources]);
    await expect(runProgram(program, ["200000", "7"])).resolves.toEqual({ code: 0, stdout: "200000 rounds\n", stderr: "" });
  });
});

describeUnless(isInstalled("gcc") ? undefined : "gcc is not installed", "the C example of the README", () => {
  test("builds as it says and prints a network", async () => {
    const readme = await readFile(join(process.cwd(), "test/emulator/README.md"), "utf8");
    const source = join(folder, "example.c");
    await writeFile(source, /```c\n([\s\S]*?)```/.exec(readme)?.[1] ?? "");
    await buildEmulator({ outDir: folder, platforms: ["linux-x64"] });
    const libraries = join(folder, "linux-x64");
    const program = join(folder, "example");
    const flags = ["-include", "uchar.h", source, `-L${libraries}`, "-lcomputenetwork", `-Wl,-rpath,${libraries}`, "-o", program];
    expect(await runProgram("gcc", ["-Wall", "-Werror", ...flags])).toMatchObject({ code: 0, stderr: "" });
    const emulator = await EmulatorClient.start();
    try {
      const ended = await runProgram(program, [], { HNS_EMULATOR_ADDRESS: emulator.address });
      expect(ended.code).toBe(0);
      expect(JSON.parse(ended.stdout)).toMatchObject({ Name: "n" });
      expect(await emulator.handles()).toEqual([]);
    } finally {
      await emulator.close();
    }
  });
});

describeUnless(isInstalled("clang-tidy") ? undefined : "clang-tidy is not installed", "clang-tidy", () => {
  test("finds nothing in the native library", async () => {
    const files = (await readdir(nativeFolder)).filter((name) => name.endsWith(".c")).map((name) => join(nativeFolder, name));
    expect(files.length).toBeGreaterThanOrEqual(LINUX_SOURCES.length);
    const { code, stdout } = await runProgram("clang-tidy", ["--quiet", ...files, "--", "-std=c11", "-Wall", "-Wextra"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  }, 300_000);
});
