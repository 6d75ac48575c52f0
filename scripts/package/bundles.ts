/** The programs inside the executable. A further one is one more line here. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { paths, root } from "./paths.ts";

export interface Bundle {
  readonly name: string;
  /** The TypeScript entry point, relative to the root. */
  readonly entry: string;
  /** The name under which the executable carries it; the one without is the executable's main script. */
  readonly asset?: string;
  /** Some of its packages ask for import.meta.url. */
  readonly needsUrl?: boolean;
}

/** The first is the main script. */
export const bundles: readonly Bundle[] = [
  { name: "main", entry: "src/bin/main.ts" },
  { name: "cni", entry: "src/bin/program.ts", asset: "cni.cjs" },
  { name: "cli", entry: "src/cli/main.ts", asset: "cli.cjs", needsUrl: true },
  { name: "agent", entry: "src/bin/agent.ts", asset: "agent.cjs" },
  { name: "client", entry: "src/bin/forward.ts", asset: "client.cjs" },
];

/** The bundles to build: an asset whose sources are not in this clone is left out, the main script never. */
export function presentBundles(): readonly Bundle[] {
  return bundles.filter((bundle) => bundle.asset === undefined || existsSync(join(root, bundle.entry)));
}

export function bundleFile(bundle: Bundle): string {
  return join(paths.build, `${bundle.name}.cjs`);
}

export function metafile(bundle: Bundle): string {
  return join(paths.build, `meta-${bundle.name}.json`);
}

/** The code cache of cni.cjs, under the name by which the program looks for it. */
export const cacheFile = join(paths.build, "cni.cache");
