/** The benchmarks' launcher under Wine; what both platforms share is tested on Linux. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Launcher } from "../../bench/launcher.ts";
import { compile, compilerReason, WINDOWS_COMPILER } from "../../support/compile.ts";
import { START_MS } from "../../support/programs.ts";
import { windowsPath } from "../../support/shim-wine.ts";
import { describeUnless } from "../../support/skip.ts";
import { startWine, wineReason } from "../../support/wine.ts";

describeUnless(wineReason() ?? compilerReason(WINDOWS_COMPILER), "the launcher under Wine", () => {
  let folder = "";
  let program = "";
  let launcher: Launcher | undefined;

  const get = (): Launcher => {
    if (launcher === undefined) throw new Error("the launcher was not started");
    return launcher;
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "hns launcher "));
    // Gives back its input, says on stderr what it sees of the environment, and ends with 0x107.
    await compile(WINDOWS_COMPILER, ["-o", join(folder, "echo.exe"), join(process.cwd(), "test/support/shim-main.c")]);
    program = windowsPath(join(folder, "echo.exe"));
    launcher = await Launcher.startUnderWine(await startWine());
  }, START_MS);

  afterAll(async () => {
    await launcher?.close();
    rmSync(folder, { recursive: true });
  });

  it("gives a program its input, and tells its output, the whole of its exit code, and its time", async () => {
    for (const stdin of ["", "ü", "x".repeat(60_000)]) {
      const end = await get().run({ program, stdin });
      expect({ code: end.code, isSame: end.stdout === stdin }).toEqual({ code: 0x107, isSame: true });
      expect(end.ms).toBeGreaterThan(0);
    }
  });

  it("puts a program's variables above its own, and keeps none for the next", async () => {
    const show = windowsPath(join(folder, "show.exe"));
    await compile(WINDOWS_COMPILER, ["-o", join(folder, "show.exe"), join(process.cwd(), "test/support/show-variable.c")]);
    expect((await get().run({ program: show, env: { EXAMPLE: "a = ü" } })).stdout).toBe("a = ü");
    expect((await get().run({ program: show })).stdout).toBe("none");
  });

  it("says what cannot be started", async () => {
    await expect(get().run({ program: windowsPath(join(folder, "none.exe")) })).rejects.toThrow("none.exe could not be started");
  });
});
