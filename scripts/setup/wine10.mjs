/**
 * Wine 10 beside an older Wine of the machine: a Debian trixie folder to chroot into. Node 24 needs Wine 10; only there do the bytes
 * that are shipped run unchanged. Made once (a minute, 1.5 GB), outside the clone, as root on Debian.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { capture, findProgram } from "./process.mjs";

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "hns-cni");
const problemFile = join(cache, "wine10-problem.txt");
const wine10Folder = join(cache, "wine10-trixie");

/** Makes the folder when it is missing and can be made; why it could not is kept for the suite that needs it (test/support/wine10.ts). */
export function ensureWine10() {
  if (existsSync(join(wine10Folder, "ready"))) return;
  mkdirSync(cache, { recursive: true });
  const problem = findObstacle() ?? tryMake();
  if (problem === undefined) rmSync(problemFile, { force: true });
  else writeFileSync(problemFile, problem);
}

function findObstacle() {
  if (process.getuid?.() !== 0) return "a chroot needs root";
  if (findProgram("debootstrap") === undefined) return "debootstrap is missing";
  return findMirror() === undefined ? "apt names no Debian archive" : undefined;
}

function tryMake() {
  const fresh = `${wine10Folder}.new-${process.pid}`;
  process.stderr.write("making a folder with Wine 10 (a minute)\n");
  try {
    capture("debootstrap", ["--variant=minbase", "trixie", fresh, findMirror()], { timeoutMs: 600_000 });
    const install = "apt-get -qq update && apt-get -qq -y install --no-install-recommends wine64 wine && apt-get clean";
    capture("chroot", [fresh, "sh", "-c", install], {
      env: { PATH: process.env.PATH, DEBIAN_FRONTEND: "noninteractive" },
      timeoutMs: 600_000,
    });
    writeFileSync(join(fresh, "ready"), "");
    renameSync(fresh, wine10Folder);
    return undefined;
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    return `it could not be made: ${error.message.split("\n")[0]}`;
  }
}

/** The Debian archive that apt uses on this machine. */
function findMirror() {
  const folder = "/etc/apt/sources.list.d";
  const files = ["/etc/apt/sources.list", ...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [])];
  const text = files
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  const addresses = text.match(/https?:\/\/[^\s\]]+/g) ?? [];
  return addresses.find((address) => /\/debian\/?$/.test(address));
}
