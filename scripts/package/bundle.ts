/** esbuild: one CommonJS file for each program inside the executable. */
import { mkdirSync, writeFileSync } from "node:fs";
import { build, type BuildOptions } from "esbuild";
import { bundleFile, metafile, type Bundle } from "./bundles.ts";
import { paths, root } from "./paths.ts";
import type { ProductInfo } from "./versions.ts";

/** ESM-only packages ask for import.meta.url, which CommonJS lacks. */
const BUNDLE_URL = 'const bundleUrl = require("node:url").pathToFileURL(__filename).href;';

/** A script beside the main one is one function, as src/bin/assets.ts calls it. */
const WRAPPER = { start: "(function (require, module, __filename) {", end: "})" };

/** What every bundle of the product is built with, whoever packs it. */
export function commonOptions(product: ProductInfo): BuildOptions & { define: Record<string, string> } {
  return {
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node24",
    // The native module beside the executable is loaded by its path; koffi's own JavaScript never is.
    external: ["koffi"],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    charset: "ascii", // one character beyond ASCII and V8 keeps the whole source in two bytes a character
    logLevel: "warning",
    define: { HNS_CNI_VERSION: JSON.stringify(product.version) },
  };
}

/**
 * Writes build/NAME.cjs and esbuild's account of what went into it, build/meta-NAME.json.
 * Names stay as they are in the sources, so that a stack trace can be read without a source map.
 */
export async function buildBundle(bundle: Bundle, product: ProductInfo): Promise<void> {
  mkdirSync(paths.build, { recursive: true });
  const common = commonOptions(product);
  const result = await build({
    ...common,
    entryPoints: [bundle.entry],
    outfile: bundleFile(bundle),
    lineLimit: 160,
    metafile: true,
    define: { ...common.define, ...(bundle.needsUrl === true && { "import.meta.url": "bundleUrl" }) },
    ...(bundle.asset !== undefined && wrap(bundle.needsUrl === true ? BUNDLE_URL : "")),
  });
  writeFileSync(metafile(bundle), JSON.stringify(result.metafile, null, 1));
}

function wrap(before: string): Pick<BuildOptions, "banner" | "footer"> {
  return { banner: { js: `${WRAPPER.start}${before}` }, footer: { js: WRAPPER.end } };
}
