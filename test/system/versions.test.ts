/** Both Windows programs say of themselves what package.json says: installers and administrators compare these numbers. */
import { existsSync, readFileSync } from "node:fs";
import { windowsProgram, windowsShimProgram } from "../support/paths.ts";
import { describeUnless } from "../support/skip.ts";
import { readVersionBlock } from "../support/version-block.ts";

const product = JSON.parse(readFileSync("package.json", "utf8")) as { name: string; version: string; description: string };
const numbers = `${product.version.split("-")[0] ?? ""}.0`;

describe.each([
  ["the main program", windowsProgram, "hns-cni"],
  ["the shim", windowsShimProgram, "hns-cni-shim"],
])("%s", (_name, file, program) => {
  describeUnless(existsSync(file) ? undefined : `${file} is not built: npm run package`, "in its version block", () => {
    test("bears the product's name and version", () => {
      expect(readVersionBlock(readFileSync(file))).toEqual({
        fileVersion: numbers,
        productVersion: numbers,
        strings: expect.objectContaining({
          ProductName: product.name,
          FileDescription: product.description,
          InternalName: program,
          OriginalFilename: `${program}.exe`,
          FileVersion: product.version,
          ProductVersion: product.version,
        }) as unknown,
      });
    });
  });
});
