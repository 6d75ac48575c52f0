/** Node's single executable applications: the blob, and what both injectors need to know of it. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { bundleFile, cacheFile, presentBundles } from "./bundles.ts";
import { paths, root } from "./paths.ts";

/** The name of the note (Linux) or resource (Windows) in which Node looks for its blob. */
export const blobName = "NODE_SEA_BLOB";

const fuse = Buffer.from("NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:0");

/**
 * Flags of V8 that the program starts with. A code cache fits only the flags it was made under. The hash seed stays the snapshot's,
 * which is safe for one call with the runtime's input. The second flag made an ADD cheaper by some million instructions when it was tried.
 * The third, in MB, is for the agent: by default V8 lets new objects take 64 MB before the agent, which needs a third of it, sees any of that again.
 */
export const programFlags = ["--no-rehash-snapshot", "--single-threaded-gc", "--max-semi-space-size=4"];

/**
 * Makes the blob with the Node that runs this, which is exactly the version of both target binaries, and gives its bytes.
 * With a code cache the main script starts without its source being read; node.exe refuses a cache made on Linux, with a warning
 * on stderr, so only the Linux program gets one. The same goes for the cache of the program beside it (code-cache.ts).
 */
export function buildBlob(platform: "linux" | "windows"): Buffer {
  const config = join(paths.build, `sea-${platform}.json`);
  const output = join(paths.build, `sea-${platform}.blob`);
  const [main, ...rest] = presentBundles();
  if (main === undefined) throw new Error("there is no bundle");
  const content = {
    main: bundleFile(main),
    output,
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: platform === "linux",
    execArgv: programFlags,
    // Else a NODE_OPTIONS in the kubelet's environment changes or ends the plugin.
    execArgvExtension: "none",
    assets: {
      ...Object.fromEntries(rest.flatMap((bundle) => (bundle.asset === undefined ? [] : [[bundle.asset, bundleFile(bundle)]]))),
      ...(platform === "linux" && existsSync(cacheFile) && { [basename(cacheFile)]: cacheFile }),
    },
  };
  writeFileSync(config, JSON.stringify(content, null, 2));
  execFileSync(process.execPath, [...programFlags, "--experimental-sea-config", config], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
  });
  return readFileSync(output);
}

/** Turns the fuse that makes the binary look for a blob, in place. Throws unless the binary has exactly one, still unturned. */
export function turnFuse(binary: Buffer): void {
  const at = binary.indexOf(fuse);
  if (at < 0 || binary.indexOf(fuse, at + 1) >= 0) throw new Error("the Node binary does not hold exactly one unturned fuse");
  binary.write("1", at + fuse.length - 1, "latin1");
}
