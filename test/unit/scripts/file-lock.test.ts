import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withFileLock } from "../../../scripts/setup/file-lock.ts";

describe("the lock between processes", () => {
  const folder = mkdtempSync(join(tmpdir(), "file-lock-"));
  const file = join(folder, "lock");
  afterAll(() => rmSync(folder, { recursive: true }));

  it("lets one after the other work", async () => {
    const order: string[] = [];
    const work = (name: string) => () =>
      withFileLock(file, async () => {
        order.push(`${name} begins`);
        await Promise.resolve();
        order.push(`${name} ends`);
      });
    await Promise.all([work("a")(), work("b")()]);
    expect(order).toEqual(["a begins", "a ends", "b begins", "b ends"]);
  });

  it("is released when the work fails", async () => {
    await expect(withFileLock(file, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(existsSync(file)).toBe(false);
  });

  it("is taken over from a process that is gone", async () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    writeFileSync(file, String(pid));
    await expect(withFileLock(file, () => Promise.resolve("done"))).resolves.toBe("done");
  });
});
