import { readFileSync } from "node:fs";

interface Entry {
  readonly version?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as { packages: Readonly<Record<string, Entry>> };

describe("package-lock.json", () => {
  // A registry that lacks a package of some other platform makes npm leave it out silently, and npm ci then refuses the lock file everywhere.
  it("has an entry for every optional package, so that npm ci accepts it on any platform", () => {
    const missing = Object.entries(packages).flatMap(([path, entry]) =>
      Object.keys(entry.optionalDependencies ?? {}).filter(
        (name) => packages[`${path}/node_modules/${name}`] === undefined && packages[`node_modules/${name}`] === undefined,
      ),
    );
    expect(missing).toEqual([]);
  });

  it("names no registry, so that each machine uses its own", () => {
    const bound = Object.entries(packages).filter(([, entry]) => entry.resolved !== undefined);
    expect(bound.map(([path]) => path)).toEqual([]);
  });
});
