import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { existsSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A library that was built, or why it was not. */
export type BuiltLibrary = { readonly name: string; readonly path: string } | { readonly name: string; readonly skipped: string };

export interface BuildOptions {
  /** Where the libraries go; one folder a platform below it. Default: dist/emulator. */
  readonly outDir?: string;
  readonly platforms?: readonly Platform[];
}

export type Platform = "linux-x64" | "win-x64";

interface Target {
  readonly platform: Platform;
  readonly file: string;
  readonly compiler: string;
  readonly sources: readonly string[];
  readonly flags: readonly string[];
  readonly libraries: readonly string[];
}

const WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-O2"];
// Threads and callbacks of the library outlive a dlclose, so the Linux library is never unloaded; the DLLs pin themselves.
const LINUX = { compiler: "gcc", flags: ["-fPIC", "-shared", "-fvisibility=hidden", "-pthread", "-Wl,-z,nodelete"], libraries: [] };
const WINDOWS = {
  compiler: "x86_64-w64-mingw32-gcc",
  flags: ["-shared", "-static-libgcc", "-D_WIN32_WINNT=0x0A00", "-Wl,--no-insert-timestamp"],
  libraries: ["-lws2_32", "-lole32"],
};

const SHARED = ["buffer.c", "connection.c", "forward.c"];
const NETWORK = ["hcn.c", "guest.c", "callback.c"];
/** Everything the Linux library is made of. */
export const LINUX_SOURCES: readonly string[] = [...SHARED, ...NETWORK, "vmcompute.c", "linux.c"];

const TARGETS: readonly Target[] = [
  // The other two names are those under which .NET on Linux looks for computenetwork.dll and vmcompute.dll.
  ...["libcomputenetwork.so", "computenetwork.dll.so", "vmcompute.dll.so"].map((file): Target => ({
    platform: "linux-x64",
    file,
    sources: LINUX_SOURCES,
    ...LINUX,
  })),
  { platform: "win-x64", file: "computenetwork.dll", sources: [...SHARED, ...NETWORK], ...WINDOWS },
  { platform: "win-x64", file: "vmcompute.dll", sources: [...SHARED, "vmcompute.c"], ...WINDOWS },
];

/** Builds the emulator's native libraries. Throws when a compiler fails; a missing compiler gives `skipped` with the reason. */
export async function buildEmulator(options: BuildOptions = {}): Promise<BuiltLibrary[]> {
  const outDir = options.outDir ?? join(process.cwd(), "dist/emulator");
  const wanted = TARGETS.filter(({ platform }) => options.platforms === undefined || options.platforms.includes(platform));
  return await Promise.all(wanted.map((target) => build(target, outDir)));
}

async function build(target: Target, outDir: string): Promise<BuiltLibrary> {
  const { compiler, file, platform } = target;
  if (!isInstalled(compiler)) return { name: file, skipped: `${compiler} is not installed` };
  const folder = join(outDir, platform);
  await mkdir(folder, { recursive: true });
  const path = join(folder, file);
  // In a folder of its own and not under a name of its own: the linker writes the file's name into a DLL.
  const scratch = await mkdtemp(join(folder, ".build-"));
  const temporary = join(scratch, file);
  const native = join(process.cwd(), "test/emulator/native");
  const sources = target.sources.map((source) => join(native, source));
  try {
    await run(compiler, [...WARNINGS, ...target.flags, "-o", temporary, ...sources, ...target.libraries]);
    // Processes may have the old file mapped: replace it, never write into it.
    await rename(temporary, path);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return { name: file, path };
}

function isInstalled(program: string): boolean {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.some((folder) => folder !== "" && (existsSync(join(folder, program)) || existsSync(join(folder, `${program}.exe`))));
}
