/**
 * Packages for another platform or without their install script: `npm pack` brings the archive into a cache outside the
 * clone, where every clone of the machine finds it.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { capture } from "./process.mjs";

/** The folder that outlives a clone: $XDG_CACHE_HOME/hns-cni. */
export function cacheFolder() {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(base, "hns-cni");
}

/**
 * Makes sure that the package's files are unpacked in the cache.
 * `integrity` is the sha512 of the archive as package-lock.json writes it; `files` are the paths wanted, below the package's root.
 * @returns the folder that holds the package's root
 */
export function fetchPackage({ name, version, integrity, files }) {
  const label = `${name.replace("/", "+")}-${version}`;
  const target = join(cacheFolder(), "packages", label);
  if (files.every((file) => existsSync(join(target, file)))) return target;

  mkdirSync(join(cacheFolder(), "packages"), { recursive: true });
  const work = mkdtempSync(join(cacheFolder(), "packages", `.${label}-`));
  try {
    const archive = join(work, pack(`${name}@${version}`, work));
    verify(archive, integrity, label);
    capture("tar", ["-xzf", archive, "-C", work, ...files.map((file) => `package/${file}`)]);
    rmSync(target, { recursive: true, force: true });
    renameSync(join(work, "package"), target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return target;
}

function pack(spec, folder) {
  const output = capture("npm", ["pack", spec, "--loglevel=error", "--ignore-scripts", "--pack-destination", folder], { cwd: folder });
  const name = output.trim().split("\n").at(-1);
  if (!name) throw new Error(`npm pack ${spec} named no archive`);
  return name;
}

function verify(archive, integrity, label) {
  const found = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (found !== integrity) throw new Error(`${label}: the archive's checksum is ${found}, expected ${integrity}`);
}
