/** Programs that only the system's package manager has. Each is optional: what needs one says why it cannot run. */
import { existsSync } from "node:fs";
import { capture, findProgram } from "./process.mjs";

const known = {
  gcc: {
    use: "the HNS emulator's library",
    packages: ["gcc", "libc6-dev"],
    present: () => findProgram("gcc") !== undefined && existsSync("/usr/include/stdio.h"),
  },
  mingw: {
    use: "the HNS emulator's Windows libraries",
    packages: ["gcc-mingw-w64-x86-64"],
    present: () => findProgram("x86_64-w64-mingw32-gcc") !== undefined,
  },
  debootstrap: {
    use: "a folder with Wine 10",
    packages: ["debootstrap"],
    present: () => findProgram("debootstrap") !== undefined,
  },
  wine: {
    use: "running the Windows program",
    packages: ["wine64", "wine"],
    present: () => existsSync("/usr/lib/wine/wine64") || findProgram("wine64") !== undefined || findProgram("wine") !== undefined,
  },
};

/**
 * Installs what is missing of the programs named, when this process may: as root, or in CI through sudo without a password.
 * @returns one sentence for each program that is still missing
 */
export function ensureSystemPackages(names) {
  const missing = names.filter((name) => !known[name].present());
  if (missing.length === 0) return [];
  const problem = install(missing.flatMap((name) => known[name].packages));
  return missing
    .filter((name) => !known[name].present())
    .map((name) => `${name} is missing (for ${known[name].use}): ${problem ?? "the packages did not bring it"}`);
}

/** @returns undefined, or why nothing was installed */
function install(packages) {
  const prefix = aptPrefix();
  if (prefix === undefined) return `install ${packages.join(", ")}, or run as root`;
  process.stderr.write(`installing system packages: ${packages.join(" ")}\n`);
  const apt = (...args) => {
    const [command, ...rest] = [...prefix, "apt-get", "-qq", "-y", "-o", "DPkg::Lock::Timeout=120", ...args];
    capture(command, rest, { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, timeoutMs: 600_000 });
  };
  try {
    apt("update");
    apt("install", "--no-install-recommends", ...packages);
    return undefined;
  } catch (error) {
    return `apt-get failed: ${error.message}`;
  }
}

/** How apt-get can be run here: as it is, behind sudo, or not at all (undefined). */
function aptPrefix() {
  if (findProgram("apt-get") === undefined) return undefined;
  if (process.getuid?.() === 0) return [];
  if (process.env.CI === "true" && findProgram("sudo") !== undefined) return ["sudo", "-n", "--preserve-env=DEBIAN_FRONTEND"];
  return undefined;
}
