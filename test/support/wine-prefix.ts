/** The Wine prefix of this clone: made once, kept outside the clone, shared by all workers. */
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { withFileLock } from "../../scripts/setup/file-lock.ts";
import { emulatorDlls } from "./paths.ts";
import { installFile } from "./wine-files.ts";

const run = promisify(execFile);

export interface WinePrefix {
  readonly wine: string;
  /** Major version of Wine. */
  readonly version: number;
  readonly folder: string;
}

/** The Wine loader, or undefined. Debian's `wine` is a script that talks about missing 32-bit support, so the loader itself comes first. */
export function findWine(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const candidates = ["/usr/lib/wine/wine64", ...folders.flatMap((folder) => [join(folder, "wine64"), join(folder, "wine")])];
  return candidates.find((path) => existsSync(path));
}

function findServer(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const candidates = ["/usr/lib/wine/wineserver", "/usr/lib/wine/wineserver64", ...folders.map((folder) => join(folder, "wineserver"))];
  return candidates.find((path) => existsSync(path));
}

export function prefixFolder(): string {
  const clone = createHash("sha256").update(process.cwd()).digest("hex").slice(0, 12);
  return join(cacheFolder(), `wine-${clone}`);
}

function cacheFolder(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "hns-cni");
}

/** A prefix takes 700 MB: those of clones that are gone go too. */
function removeOrphans(): void {
  for (const name of readdirSync(cacheFolder()).filter((entry) => /^wine-[0-9a-f]{12}\.clone$/.test(entry))) {
    const note = join(cacheFolder(), name);
    if (existsSync(readFileSync(note, "utf8"))) continue;
    for (const path of [note.replace(/\.clone$/, ""), note]) rmSync(path, { recursive: true, force: true });
  }
}

/** Environment of every Wine process: quiet, without a display, in our prefix, and nothing else of this process's own. */
export function wineEnvironment(folder: string): Record<string, string> {
  return {
    HOME: homedir(),
    PATH: process.env["PATH"] ?? "",
    WINEPREFIX: folder,
    WINEDEBUG: "-all",
    WINEARCH: "win64",
    // No Mono, no Gecko, no menu entries: nothing asks, nothing is fetched.
    WINEDLLOVERRIDES: "mscoree,mshtml,winemenubuilder.exe=",
  };
}

/** Makes the prefix when it is not there, and brings the emulator's libraries in it up to date. Safe in parallel. */
export async function ensurePrefix(wine: string): Promise<WinePrefix> {
  const folder = prefixFolder();
  mkdirSync(folder, { recursive: true });
  return withFileLock(`${folder}.lock`, async () => {
    const version = await readVersion(wine);
    const stamp = join(folder, ".hns-cni");
    const wanted = `wine ${version} win10`;
    if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
      removeOrphans();
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      keepServer(folder);
      // A new prefix says Windows 7, and Node refuses to run there.
      await runQuietly(wine, ["winecfg", "-v", "win10"], folder, 180_000);
      writeFileSync(stamp, wanted);
      writeFileSync(`${folder}.clone`, process.cwd());
    }
    keepServer(folder);
    for (const dll of emulatorDlls) installFile(dll, join(folder, "drive_c/windows/system32"));
    return { wine, version, folder };
  });
}

async function readVersion(wine: string): Promise<number> {
  const { stdout } = await run(wine, ["--version"], { timeout: 20_000 });
  return Number(/wine-(\d+)/.exec(stdout)?.[1] ?? 0);
}

/** Keeps Wine's server for a minute after its last client: starting it anew costs each program 0.3 to 0.7 s. */
function keepServer(folder: string): void {
  const server = findServer();
  if (server === undefined) return;
  spawn(server, ["-p60"], { env: wineEnvironment(folder), stdio: "ignore", detached: true }).unref();
}

/** Ends every Windows program of this clone's prefix and its server, and waits until they are gone. */
export async function stopWine(): Promise<void> {
  const server = findServer();
  const folder = prefixFolder();
  if (server === undefined || !existsSync(folder)) return;
  await runQuietly(server, ["-k"], folder, 20_000);
  await runQuietly(server, ["-w"], folder, 20_000);
}

/**
 * Runs one of Wine's own programs to its end, whatever its exit code. It gets no pipes: Wine's services inherit them, and they
 * would stay open as long as the services live.
 */
function runQuietly(command: string, args: readonly string[], folder: string, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: wineEnvironment(folder), stdio: "ignore", timeout, killSignal: "SIGKILL" });
    child.once("error", reject);
    child.once("exit", (code) => {
      if (code === null) reject(new Error(`${command} ${args.join(" ")} did not end within ${timeout} ms`));
      else resolve();
    });
  });
}
