import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PluginError } from "../../../src/core/base/errors.ts";
import type { LogLevel } from "../../../src/core/base/log.ts";
import { type LogFileOptions, openLogFile } from "../../../src/host/exec/log-file.ts";
import { findNode } from "../../emulator/client.ts";
import { containing } from "../../support/matchers.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hns-log-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function options(changes: Partial<LogFileOptions> = {}): LogFileOptions {
  const now = (): number => Date.UTC(2025, 0, 1, 12);
  return {
    path: join(folder, "hns-cni.log"),
    level: "info",
    context: { pid: 7, command: "ADD" },
    maxBytes: 1_000_000,
    keep: 2,
    now,
    ...changes,
  };
}

type Line = Readonly<Record<string, unknown>>;

function lines(path = options().path): Line[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

describe("the log file", () => {
  test("has one JSON object a line: time, level, message, context, fields", () => {
    openLogFile(options()).info("endpoint attached", { endpoint: "e1", addresses: ["10.244.3.3"] });
    expect(lines()).toEqual([
      {
        time: "2025-01-01T12:00:00.000Z",
        level: "info",
        message: "endpoint attached",
        pid: 7,
        command: "ADD",
        endpoint: "e1",
        addresses: ["10.244.3.3"],
      },
    ]);
  });

  test("a message of several lines stays one line", () => {
    openLogFile(options()).info("a\nb\r\nc");
    expect(lines()).toMatchObject([{ message: "a\nb\r\nc" }]);
  });

  test.each<[LogLevel, string[]]>([
    ["error", ["error"]],
    ["warn", ["error", "warn"]],
    ["info", ["error", "warn", "info"]],
    ["debug", ["error", "warn", "info", "debug"]],
  ])("at level %s holds %j", (level, expected) => {
    const log = openLogFile(options({ level }));
    for (const write of ["error", "warn", "info", "debug"] as const) log[write](write);
    expect(lines().map((line) => line["level"])).toEqual(expected);
  });

  test("tells code, HRESULT and details of an error, and the stack of one that is unexpected", () => {
    const log = openLogFile(options());
    const cause = new PluginError("HNS_REFUSED", { message: "no", hresult: 0x803b0001, details: "what HNS wrote" });
    log.error("failed", { error: cause, ms: 3 });
    log.error("failed", { error: new PluginError("INTERNAL", { message: "no" }) });
    log.error("failed", { error: new TypeError("broken") });
    expect(lines().map((line) => line["error"])).toEqual([
      { code: "HNS_REFUSED", message: "no", hresult: "0x803b0001", details: "what HNS wrote" },
      { code: "INTERNAL", message: "no" },
      { message: "broken", stack: containing("TypeError: broken") },
    ]);
  });

  test("is set aside when it is full, and no more files are kept than asked for", () => {
    const log = openLogFile(options({ maxBytes: 300, keep: 2 }));
    for (let index = 0; index < 20; index++) log.info("line", { index });
    const { path } = options();
    const aside = readdirSync(folder).filter((name) => name.startsWith("hns-cni.log."));
    expect(aside).toHaveLength(2);
    const files = [...aside.sort().map((name) => join(folder, name)), path];
    const kept = files.flatMap((file) => lines(file).map((line) => line["index"]));
    // The newest lines are all there, in order, over the files.
    expect(kept.at(-1)).toBe(19);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => 20 - kept.length + index));
    expect(kept.length).toBeGreaterThan(3);
    expect(kept.length).toBeLessThan(20);
  });

  test("loses nothing of several writers of the same file, below its size", () => {
    const writer = `
      const { openLogFile } = await import(${JSON.stringify(join(process.cwd(), "src/host/exec/log-file.ts"))});
      const log = openLogFile({ path: ${JSON.stringify(options().path)}, level: "info", context: { pid: process.pid }, maxBytes: 1e9, keep: 1, now: Date.now });
      for (let index = 0; index < 200; index++) log.info("line", { index, filler: "x".repeat(500) });
    `;
    const script = join(folder, "writers.mjs");
    writeFileSync(
      script,
      `import { spawn } from "node:child_process";
       const ends = [1, 2, 3].map(() => new Promise((resolve) => spawn(process.execPath, ["--input-type=module", "-e", ${JSON.stringify(writer)}], { stdio: "inherit" }).on("exit", resolve)));
       process.exitCode = Math.max(...(await Promise.all(ends)));`,
    );
    expect(spawnSync(findNode(), [script], { encoding: "utf8" })).toMatchObject({ status: 0 });
    const found = lines();
    expect(found).toHaveLength(600);
    const byWriter = Map.groupBy(found, (line) => line["pid"]);
    for (const own of byWriter.values()) expect(own.map((line) => line["index"])).toEqual(Array.from({ length: 200 }, (_, index) => index));
    expect(byWriter.size).toBe(3);
  });

  test("makes the folders of its path, also when they were removed meanwhile", () => {
    const path = join(folder, "a", "b", "hns-cni.log");
    const log = openLogFile(options({ path }));
    log.info("one");
    rmSync(join(folder, "a"), { recursive: true });
    log.info("two");
    expect(lines(path).map((line) => line["message"])).toEqual(["two"]);
  });

  test("that cannot be written loses its lines and never throws", () => {
    writeFileSync(join(folder, "file"), "");
    const log = openLogFile(options({ path: join(folder, "file", "hns-cni.log") }));
    expect(() => log.error("lost", { error: new Error("x") })).not.toThrow();
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("");
  });

  test("fields that are no JSON lose the line and never throw", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    const log = openLogFile(options());
    expect(() => log.info("lost", { circle, big: 10n })).not.toThrow();
    log.info("kept");
    expect(lines().map((line) => line["message"])).toEqual(["kept"]);
  });
});
