import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { emulatorDlls, windowsKoffi, windowsProgram } from "./paths.ts";

/** Where scripts/setup/wine10.mjs makes the folder, and leaves the reason when it cannot. */
const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "hns-cni");
const wine10Folder = join(cache, "wine10-trixie");
const problemFile = join(cache, "wine10-problem.txt");

/** Why the shipped Windows program cannot run unchanged here; undefined when it can. */
export function wine10Reason(): string | undefined {
  const missing = [windowsProgram, windowsKoffi, ...emulatorDlls].find((path) => !existsSync(path));
  if (missing !== undefined) return `${missing} is not built`;
  if (process.getuid?.() !== 0) return "Wine 10 runs in a chroot, which needs root";
  if (existsSync(join(wine10Folder, "ready"))) return undefined;
  return `there is no Wine 10: ${existsSync(problemFile) ? readFileSync(problemFile, "utf8") : "npm test makes it"}`;
}

/** A Wine prefix of its own in the folder with Wine 10, with the program and the emulator's libraries. */
export class Wine10 {
  readonly #folder: string;
  /** The same folder as seen from inside. */
  readonly #inside: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#inside = `/${basename(folder)}`;
  }

  static start(): Promise<Wine10> {
    const wine = new Wine10(mkdtempSync(join(wine10Folder, "run-")));
    for (const file of [windowsProgram, windowsKoffi, ...emulatorDlls]) copyFileSync(file, join(wine.#folder, basename(file)));
    const system32 = "prefix/drive_c/windows/system32";
    wine.#shell({}, `$WINE wineboot -i; $WINE winecfg -v win10; cp computenetwork.dll vmcompute.dll ${system32}/`);
    if (!existsSync(join(wine.#folder, system32, "computenetwork.dll"))) throw new Error("Wine 10 made no prefix");
    return Promise.resolve(wine);
  }

  /** Runs the program to its end. Its streams are files: Node under Wine cannot use a Unix pipe. */
  run(env: Readonly<Record<string, string>>, stdin: string): { code: number; stdout: string; stderr: string } {
    writeFileSync(join(this.#folder, "in"), stdin);
    const code = this.#shell(env, "timeout 90 $WINE hns-cni.exe < in > out 2> err");
    const read = (name: string): string => readFileSync(join(this.#folder, name), "utf8");
    return { code, stdout: read("out"), stderr: read("err") };
  }

  stop(): void {
    this.#shell({}, "wineserver -k");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs a script inside, in a mount namespace of its own so that nothing stays mounted. @returns its exit code, -1 without one */
  #shell(env: Readonly<Record<string, string>>, script: string): number {
    const prepare = 'mount --bind /dev "$ROOT/dev" && mount -t proc proc "$ROOT/proc" && exec chroot "$ROOT" sh -c "$SCRIPT"';
    const inside = `cd ${this.#inside} && ${script}`;
    const wine = {
      WINE: "/usr/lib/wine/wine64",
      WINEPREFIX: `${this.#inside}/prefix`,
      WINEDEBUG: "-all",
      WINEDLLOVERRIDES: "mscoree,mshtml=",
      HOME: this.#inside,
    };
    const base = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ROOT: wine10Folder, SCRIPT: inside };
    const { status } = spawnSync("unshare", ["-m", "sh", "-c", prepare], {
      env: { ...base, ...wine, ...env },
      stdio: "ignore",
      timeout: 200_000,
    });
    return status ?? -1;
  }
}
