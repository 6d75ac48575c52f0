/** esbuild: one CommonJS file for each program inside the executable. */
import { mkdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { bundleFile, metafile, type Bundle } from "./bundles.ts";
import { paths, root } from "./paths.ts";
import type { ProductInfo } from "./versions.ts";

/**
 * Writes build/NAME.cjs and esbuild's account of what went into it, build/meta-NAME.json.
 * Names stay as they are in the sources, so that a stack trace can be read without a source map.
 */
export async function buildBundle(bundle: Bundle, product: ProductInfo): Promise<void> {
  mkdirSync(paths.build, { recursive: true });
  const result = await build({
    absWorkingDir: root,
    entryPoints: [bundle.entry],
    outfile: bundleFile(bundle),
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node24",
    // The native module beside the executable is loaded by its path; koffi's own JavaScript never is.
    external: ["koffi"],
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: 160,
    legalComments: "none",
    charset: "utf8",
    metafile: true,
    logLevel: "warning",
    define: { HNS_CNI_VERSION: JSON.stringify(product.version) },
  });
  writeFileSync(metafile(bundle), JSON.stringify(result.metafile, null, 1));
}
