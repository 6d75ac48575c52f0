/** The shim for both platforms. One whose compiler is missing is left out; the tests that need it say so. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { readProduct } from "./versions.ts";

const run = promisify(execFile);

export interface ShimTarget {
  readonly compiler: string;
  readonly file: string;
  /** In src/shim. */
  readonly sources: readonly string[];
  readonly flags: readonly string[];
  readonly libraries: readonly string[];
}

const STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror"];
const HARDENED = ["-O2", "-s", "-fstack-protector-strong"];

/** Static: the program starts fastest, and needs nothing of the machine. */
export const linuxShim: ShimTarget = {
  compiler: "gcc",
  file: "dist/linux-x64/hns-cni-shim",
  sources: ["shim.c", "linux.c"],
  flags: ["-static-pie", "-fPIE", "-D_FORTIFY_SOURCE=2", "-Wl,-z,relro,-z,now,-z,noexecstack"],
  libraries: [],
};

export const windowsShim: ShimTarget = {
  compiler: "x86_64-w64-mingw32-gcc",
  file: "dist/win-x64/hns-cni-shim.exe",
  sources: ["shim.c", "windows.c", "stack-guard.c"],
  flags: [
    "-static",
    "-D_WIN32_WINNT=0x0A00",
    // The C library of Windows prints what little there is to print.
    "-D__USE_MINGW_ANSI_STDIO=0",
    "-Wl,--dynamicbase,--nxcompat,--high-entropy-va,--no-insert-timestamp",
  ],
  libraries: ["-ladvapi32"],
};

const targets = [linuxShim, windowsShim] as const;

/** Why the shim cannot be built; undefined when it can. */
export function shimReason({ compiler }: ShimTarget): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.some((folder) => folder !== "" && existsSync(join(folder, compiler))) ? undefined : `${compiler} is missing`;
}

export function shimFiles(root: string): readonly string[] {
  return targets.filter((target) => shimReason(target) === undefined).map(({ file }) => join(root, file));
}

/** The arguments that make `output` of the shim's sources below `root`; `extra` comes before the sources. */
export function shimArguments(target: ShimTarget, { root, output, extra = [] }: ShimOutput): string[] {
  const sources = target.sources.map((source) => join(root, "src/shim", source));
  return [...STRICT, ...extra, "-o", output, ...sources, ...target.libraries];
}

export interface ShimOutput {
  readonly root: string;
  readonly output: string;
  readonly extra?: readonly string[];
}

/** Throws with the compiler's own words when it fails. */
export async function buildShims(root: string): Promise<void> {
  for (const target of targets.filter((one) => shimReason(one) === undefined)) {
    const output = join(root, target.file);
    mkdirSync(dirname(output), { recursive: true });
    // Built beside and renamed: a shim that is running keeps its file.
    await run(target.compiler, shimArguments(target, { root, output: `${output}.new`, extra: [...HARDENED, ...target.flags] }));
    if (target === windowsShim) await addVersionBlock(`${output}.new`);
    renameSync(`${output}.new`, output);
  }
}

/** With the parts of the main program's own; resedit is imported here alone, as the tests have no use for it. */
async function addVersionBlock(file: string): Promise<void> {
  const { addVersion } = await import("./pe.ts");
  writeFileSync(file, addVersion(readFileSync(file), readProduct(), "hns-cni-shim"));
}
