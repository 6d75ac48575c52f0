/** What ships with the executables about other people's code. Reads what `npm run package` left in dist/ and build/. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "../../support/paths.ts";

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as { dependencies: Record<string, string> };

describe.each(["linux-x64", "win-x64"])("the notices of %s", (platform) => {
  const text = readFileSync(join("dist", platform, "THIRD-PARTY-NOTICES.txt"), "utf8");

  it("name every package of the product with its version", () => {
    for (const [name, version] of Object.entries(manifest.dependencies)) expect(text).toContain(`\n${name} ${version}, `);
    expect(text).toContain(`Node.js ${process.versions.node}, MIT`);
  });

  it("name every package of which a bundle has a file", () => {
    for (const bundle of ["main", "cni", "cli", "agent"]) {
      const { inputs } = JSON.parse(readFileSync(join(build, `meta-${bundle}.json`), "utf8")) as { inputs: Record<string, unknown> };
      const folders = new Set(Object.keys(inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
      for (const folder of folders) {
        const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { name: string; version: string };
        expect(text).toContain(`\n${name} ${version}, `);
      }
    }
  });

  it("have the text of each licence", () => {
    expect(text.split("Permission is hereby granted").length - 1).toBeGreaterThanOrEqual(2);
    expect(text).not.toContain("The package has no text of it.");
  });
});
