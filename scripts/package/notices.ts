/** THIRD-PARTY-NOTICES.txt: whose code the executables carry, under which licence, with the licence's text where the package has it. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { metafile, presentBundles } from "./bundles.ts";
import { paths, root } from "./paths.ts";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** The native module beside the executable is in no bundle. */
const BESIDE = ["node_modules/koffi"];

export const noticeFiles: readonly string[] = [paths.linux, paths.windows].map((folder) => join(folder, "THIRD-PARTY-NOTICES.txt"));

/** Needs the metafiles of the bundles. Throws for a package without a licence. */
export function writeNotices(): void {
  const text = [aboutNode(), ...listPackages().map(describe)].join(`\n${"-".repeat(80)}\n\n`);
  for (const file of noticeFiles) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

/** The folders of the packages of which a file is in any bundle; one package can be there in two versions. */
function listPackages(): string[] {
  const inputs = presentBundles().flatMap((bundle) => {
    const { inputs: files } = JSON.parse(readFileSync(metafile(bundle), "utf8")) as { inputs: Readonly<Record<string, unknown>> };
    return Object.keys(files);
  });
  const bundled = inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  return [...new Set([...BESIDE, ...bundled])].sort();
}

function describe(path: string): string {
  const folder = join(root, path);
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (license === undefined && file === undefined) throw new Error(`${name} says nothing of its licence`);
  const text = file === undefined ? "The package has no text of it." : readFileSync(join(folder, file), "utf8").trim();
  return `${name} ${version}, ${license ?? "see below"}\n\n${text}\n`;
}

/** The packages of Node's executables hold nothing else. */
function aboutNode(): string {
  const text =
    "Its licence, with those of the libraries it is built with, is the file LICENSE of the Node.js source release of this version.";
  return `Node.js ${process.versions.node}, MIT\n\n${text}\n`;
}
