/**
 * Builds the peers: programs of other projects, the driver `runtime` over their client libraries, and `chained`, which stands in for plugins
 * that share a list with ours. They lie in a cache outside the
 * clone, in a folder named after the hash of everything they are made from, so each set is built once for a machine.
 */
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { withFileLock } from "../../scripts/setup/file-lock.ts";
import { findNode } from "../emulator/client.ts";
import { findGo, goEnvironment, moduleFolder, type GoToolchain } from "./go.ts";

const run = promisify(execFile);
const plugins = "github.com/containernetworking/plugins/plugins";
const compiler = "x86_64-w64-mingw32-gcc";
const patienceMs = 10 * 60_000;

/** Packages by platform. The plugins are what their project publishes; only `runtime` and `chained` are ours. */
const targets = [
  { folder: "linux", platform: { GOOS: "linux", GOARCH: "amd64" }, packages: ["./runtime", "./chained", `${plugins}/ipam/host-local`] },
  {
    folder: "windows",
    platform: { GOOS: "windows", GOARCH: "amd64" },
    packages: [
      "./runtime",
      "./chained",
      `${plugins}/ipam/host-local`,
      `${plugins}/main/windows/win-bridge`,
      `${plugins}/main/windows/win-overlay`,
    ],
  },
] as const;

/** Our own packages of the Go module. */
const ownPackages = ["chained", "runtime"];

/** The plugins that `chained` stands in for; it has each name once more in the folder chain. */
const chainedPlugins = ["bandwidth", "first", "istio-cni"];

/** Exit code of `scripts/peers.ts build` when the modules cannot be had: no fault of ours, as a failing compiler is. */
export const EXIT_NO_MODULES = 3;

/** The machine cannot bring the modules that go.mod names. */
export class ModulesError extends Error {
  constructor(text: string) {
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("go: downloading"));
    super(`the Go modules of the peers cannot be had: ${lines[0] ?? "go mod download failed"}`);
    this.name = "ModulesError";
  }
}

/** Folders of the built programs, each a plugin folder as CNI_PATH has it. */
export interface Peers {
  readonly linux: string;
  readonly windows: string;
}

/**
 * Why the peers cannot run here; undefined when they can. Builds them when they are not there yet (a minute or two the first time), in
 * a process of its own, since suites are collected synchronously. Throws when they do not compile.
 */
export function peersReason(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "the peers are built on Linux on x64 only";
  const go = findGo();
  if ("reason" in go) return go.reason;
  if (existsSync(cacheFolder(go))) return undefined;
  const script = join(process.cwd(), "scripts/peers.ts");
  const { status, stderr } = spawnSync(findNode(), [script, "build"], { encoding: "utf8", timeout: patienceMs });
  if (status === 0) return undefined;
  if (status === EXIT_NO_MODULES) return stderr.trim();
  throw new Error(`the peers could not be built: ${stderr}`);
}

/** The built peers. Throws when peersReason has something to say. */
export function findPeers(): Peers {
  const folder = cacheFolder(getGo());
  if (!existsSync(folder)) throw new Error("the peers are not built: npm run peers");
  return { linux: join(folder, "linux"), windows: join(folder, "windows") };
}

/** Builds what is not built. Safe in parallel. Throws a ModulesError when a module cannot be had, and Go's own words when it fails. */
export async function buildPeers(): Promise<Peers> {
  const go = getGo();
  const folder = cacheFolder(go);
  await withFileLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return;
    await bringModules(go);
    const draft = mkdtempSync(`${folder}.`);
    try {
      for (const target of targets) await compile(go, target, draft);
      await compileStandIn(draft);
      renameSync(draft, folder);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  });
  return findPeers();
}

async function bringModules(go: GoToolchain): Promise<void> {
  try {
    await run(go.program, ["mod", "download"], { cwd: moduleFolder, env: goEnvironment(), timeout: patienceMs });
  } catch (error) {
    throw new ModulesError(stderrOf(error));
  }
}

function stderrOf(error: unknown): string {
  return error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
}

async function compile(go: GoToolchain, target: (typeof targets)[number], draft: string): Promise<void> {
  const out = join(draft, target.folder);
  mkdirSync(out);
  await run(go.program, ["build", "-o", `${out}/`, ...target.packages], {
    cwd: moduleFolder,
    env: goEnvironment(target.platform),
    timeout: patienceMs,
    maxBuffer: 16 * 1024 * 1024,
  });
  mkdirSync(join(out, "chain"));
  const extension = target.folder === "windows" ? ".exe" : "";
  for (const name of chainedPlugins) linkSync(join(out, `chained${extension}`), join(out, "chain", `${name}${extension}`));
}

/** The DLL that an older Wine lacks; without the compiler there is no emulator for Windows either, and its suites are skipped. */
async function compileStandIn(draft: string): Promise<void> {
  const source = join(moduleFolder, "bcryptprimitives.c");
  const target = join(draft, "windows/bcryptprimitives.dll");
  try {
    await run(compiler, ["-shared", "-O2", "-Wall", "-Wextra", "-Werror", "-s", "-o", target, source, "-ladvapi32"]);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}

function getGo(): GoToolchain {
  const go = findGo();
  if ("reason" in go) throw new Error(go.reason);
  return go;
}

function cacheFolder(go: GoToolchain): string {
  const hash = createHash("sha256").update(go.version);
  const sources = ownPackages.flatMap((folder) => readdirSync(join(moduleFolder, folder)).map((name) => `${folder}/${name}`));
  for (const name of ["go.mod", "go.sum", "bcryptprimitives.c", "build.ts", ...sources.sort()]) {
    hash.update(`\n${name}\n`).update(readFileSync(join(moduleFolder, name)));
  }
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return join(cache, "hns-cni", `peers-${hash.digest("hex").slice(0, 16)}`);
}
