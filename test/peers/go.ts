/** The Go toolchain that builds the peers: the machine's own, never one that Go would fetch. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface GoToolchain {
  readonly program: string;
  /** As `go version` says it, platform included. */
  readonly version: string;
}

/** The folder of the Go module. */
export const moduleFolder = join(process.cwd(), "test/peers");

/** The toolchain, or why there is none that will do. */
export function findGo(): GoToolchain | { readonly reason: string } {
  const wanted = readWantedVersion();
  const program = goCandidates().find((path) => existsSync(path));
  if (program === undefined) return { reason: `Go ${wanted} or newer is missing` };
  const { status, stdout } = spawnSync(program, ["version"], { encoding: "utf8", env: goEnvironment() });
  const version = status === 0 ? stdout.trim() : "";
  const found = /\bgo(\d+(?:\.\d+)*)/.exec(version)?.[1];
  if (found === undefined) return { reason: `${program} does not tell its version` };
  return isAtLeast(found, wanted) ? { program, version } : { reason: `Go ${found} is too old: the peers need ${wanted}` };
}

/** The environment of every `go` command: this machine's settings, but never a changed go.mod, another toolchain or C. */
export function goEnvironment(platform: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return {
    ...process.env,
    GOFLAGS: "-mod=readonly -trimpath -buildvcs=false",
    GOTOOLCHAIN: "local",
    GOWORK: "off",
    CGO_ENABLED: "0",
    ...platform,
  };
}

function goCandidates(): string[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const root = process.env["GOROOT"];
  return [...folders, ...(root === undefined ? [] : [join(root, "bin")]), "/usr/local/go/bin"].map((folder) => join(folder, "go"));
}

/** The version that go.mod asks for. */
function readWantedVersion(): string {
  const wanted = /^go (\S+)$/m.exec(readFileSync(join(moduleFolder, "go.mod"), "utf8"))?.[1];
  if (wanted === undefined) throw new Error("test/peers/go.mod names no Go version");
  return wanted;
}

function isAtLeast(found: string, wanted: string): boolean {
  const [have, need] = [found, wanted].map((version) => version.split(".").map(Number));
  for (const [index, least] of (need ?? []).entries()) {
    const part = have?.[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}
