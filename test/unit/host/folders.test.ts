import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeFolder } from "../../../src/host/exec/folders.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "hns-cni-folders-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("a folder is made with those above it, and making it again is nothing", () => {
  const path = join(root, "a", "b", "c");
  makeFolder(path);
  makeFolder(path);
  expect(existsSync(path)).toBe(true);
});

test("where the system has no place for a folder the error comes at once", () => {
  expect(() => makeFolder("/proc/hns-cni-nowhere/state")).toThrow();
});
