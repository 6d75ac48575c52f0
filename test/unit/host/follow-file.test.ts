import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { followFile } from "../../../src/host/exec/follow-file.ts";

test("gives whole lines as they come, over a renewal of the file, and nothing of before", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hns-cni-follow-"));
  const path = join(folder, "agent.log");
  writeFileSync(path, "before\n");
  const lines: string[] = [];
  const ended = new Error("enough");
  const steps: Readonly<Record<string, () => void>> = {
    one: () => appendFileSync(path, "o\ntail"),
    two: () => {
      renameSync(path, `${path}.1`);
      appendFileSync(`${path}.1`, "three\n");
      writeFileSync(path, "four\n");
    },
  };
  const following = followFile(path, (text) => {
    for (const line of text.split("\n").filter((part) => part !== "")) {
      lines.push(line);
      if (line === "one") appendFileSync(path, "tw");
      if (line === "one") steps["one"]?.();
      if (line === "two") steps["two"]?.();
      if (line === "four") throw ended;
    }
  });
  appendFileSync(path, "one\n");
  await expect(following).rejects.toBe(ended);
  expect(lines).toEqual(["one", "two", "tailthree", "four"]);
  rmSync(folder, { recursive: true });
});
