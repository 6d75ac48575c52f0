import { PluginError } from "../base/errors.ts";
import type { Command } from "./environment.ts";

/** Every version of the CNI specification this plugin speaks, oldest first. */
export const SUPPORTED_VERSIONS = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const;
export type CniVersion = (typeof SUPPORTED_VERSIONS)[number];

export const CURRENT_VERSION: CniVersion = "1.1.0";

/** What a configuration without a version means. */
export const UNSTATED_VERSION: CniVersion = "0.1.0";

export type VersionNumbers = readonly [major: number, minor: number, micro: number];

/** The first version whose configurations may be used with a command; commands that are not listed came with the first. */
const FIRST_VERSION: Partial<Record<Command, CniVersion>> = { CHECK: "0.4.0", GC: "1.1.0", STATUS: "1.1.0" };

/** `1.1.0`, `0.4` or `1` as numbers (missing parts are 0); an empty text means 0.1.0. Throws MALFORMED_JSON, the CNI's decoding failure. */
export function parseVersion(text: string): VersionNumbers {
  if (text === "") return [0, 1, 0];
  const match = /^(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?$/.exec(text);
  if (match === null) {
    throw new PluginError("MALFORMED_JSON", {
      message: `cniVersion ${JSON.stringify(text)} is no version`,
      remedy: `set cniVersion to one of ${SUPPORTED_VERSIONS.join(", ")}`,
      field: "cniVersion",
    });
  }
  return [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)];
}

/** Negative, zero or positive. Throws what parseVersion throws. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [parseVersion(left), parseVersion(right)];
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** The supported version written exactly as `text`; undefined when it is none. */
export function findVersion(text: string): CniVersion | undefined {
  return SUPPORTED_VERSIONS.find((version) => version === text);
}

/**
 * The version a configuration is in, once it is allowed for `command`. An empty `text` means 0.1.0.
 * Throws INCOMPATIBLE_VERSION when the command is younger than the configuration or the version is not supported,
 * and MALFORMED_JSON when the command has a first version and `text` is no version at all.
 */
export function checkVersion(command: Command, text: string): CniVersion {
  const stated = text === "" ? UNSTATED_VERSION : text;
  const first = FIRST_VERSION[command];
  if (first !== undefined && compareVersions(stated, first) < 0) {
    throw new PluginError("INCOMPATIBLE_VERSION", {
      message: `config version does not allow ${command}`,
      remedy: `set cniVersion to ${first} or later`,
      details: `config is ${JSON.stringify(stated)}`,
    });
  }
  const version = findVersion(stated);
  if (version !== undefined) return version;
  throw new PluginError("INCOMPATIBLE_VERSION", {
    message: "incompatible CNI versions",
    remedy: `set cniVersion to one of ${SUPPORTED_VERSIONS.join(", ")}`,
    details: `config is ${JSON.stringify(stated)}, plugin supports ${JSON.stringify(SUPPORTED_VERSIONS)}`,
  });
}

/** The answer to VERSION, as the specification words it. `requested` is the version on stdin, echoed when it is one. */
export function buildVersionDocument(requested: string | undefined): object {
  return {
    cniVersion: requested !== undefined && isVersion(requested) ? requested : CURRENT_VERSION,
    supportedVersions: SUPPORTED_VERSIONS,
  };
}

function isVersion(text: string): boolean {
  try {
    parseVersion(text);
    return text !== "";
  } catch {
    return false;
  }
}
