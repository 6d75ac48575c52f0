/** The emulator's DLLs under Wine, called by a C program that knows only the Windows header. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EmulatorClient } from "../../emulator/client.ts";
import { buildEmulator } from "../../emulator/native/build.ts";
import { describeUnless } from "../../support/skip.ts";
import { runUnderWine } from "../../support/wine.ts";
import { ensurePrefix, findWine } from "../../support/wine-prefix.ts";
import { here, isInstalled, runProgram, STRICT } from "./build.ts";

const COMPILER = "x86_64-w64-mingw32-gcc";
const wine = findWine();

function reason(): string | undefined {
  if (wine === undefined) return "Wine is missing (packages wine64 and wine)";
  return isInstalled(COMPILER) ? undefined : `${COMPILER} is not installed (package gcc-mingw-w64-x86-64)`;
}

describeUnless(reason(), "a Windows program on the emulator's DLLs", () => {
  let folder = "";

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "hns-wine-client-"));
  });

  afterAll(() => rm(folder, { recursive: true }));

  test("gets from every export what a program on Linux gets", async () => {
    await buildEmulator({ outDir: folder, platforms: ["win-x64"] });
    const dlls = ["computenetwork.dll", "vmcompute.dll"].map((name) => join(folder, "win-x64", name));
    const program = join(folder, "win-x64/client.exe");
    const built = await runProgram(COMPILER, [...STRICT, "-O1", "-o", program, join(here, "client.c"), ...dlls, "-lole32"]);
    expect(built).toMatchObject({ code: 0, stderr: "" });
    const prefix = await ensurePrefix(wine ?? "");
    const emulator = await EmulatorClient.start();
    try {
      const ended = await runUnderWine({ prefix, program }, { env: { HNS_EMULATOR_ADDRESS: emulator.address }, timeoutMs: 120_000 });
      expect(ended.stdout).toContain("every call gave what it should");
      expect(ended.code).toBe(0);
      expect(await emulator.handles()).toEqual([]);
    } finally {
      await emulator.close();
    }
  }, 300_000);
});
