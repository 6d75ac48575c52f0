import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { Logger } from "../../../src/core/base/log.ts";
import { DelegateProcess, findProgram } from "../../../src/host/exec/delegate.ts";

let folder: string;
const lines: unknown[] = [];

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "hns-cni-delegate-")));
  lines.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

function open(type: string, stdin = "{}", env: Record<string, string> = {}): DelegateProcess {
  const ignore = (): void => undefined;
  const log: Logger = { error: ignore, warn: ignore, debug: ignore, info: (_message, fields) => lines.push(fields?.["line"]) };
  return new DelegateProcess({ type, path: folder, env: { PATH: "/usr/bin:/bin", ...env }, stdin, log });
}

describe("findProgram", () => {
  test("point 72: takes the first regular file, in the order of CNI_PATH", () => {
    mkdirSync(join(folder, "a/ipam"), { recursive: true });
    mkdirSync(join(folder, "b"));
    writeFileSync(join(folder, "b/ipam"), "");
    expect(findProgram("ipam", `${folder}/a:${folder}/b:${folder}`)).toBe(join(folder, "b/ipam"));
  });

  test.each(["../ipam", "a/ipam", "a\\ipam"])("point 72: refuses %s, which is a path", (type) => {
    expect(() => findProgram(type, folder)).toThrow(expect.objectContaining({ code: "INVALID_CONFIG" }) as Error);
  });

  test("passes over folders that are not absolute, and names those it looked into", () => {
    write("ipam", "");
    const path = relative(process.cwd(), folder);
    expect(() => findProgram("ipam", path)).toThrow(/"ipam".*names none/);
    expect(() => findProgram("other", `${path}:/x:${folder}`)).toThrow(`/x, ${folder}`);
  });
});

describe("DelegateProcess", () => {
  const run = { timeoutMs: 20_000, variables: {} };

  test("point 73: gives the program its stdin whole and the environment with one variable replaced, and logs its stderr", async () => {
    write("ipam", 'cat; echo "$CNI_COMMAND $OTHER $cni_command" ; echo one >&2; echo two >&2; exit 3');
    const stdin = `{"long": "${"x".repeat(200_000)}"}`;
    const { exitCode, stdout } = await open("ipam", stdin, { CNI_COMMAND: "ADD", cni_command: "ADD", OTHER: "kept" }).run("DEL", run);
    expect(exitCode).toBe(3);
    expect(stdout).toBe(`${stdin}DEL kept \n`);
    expect(lines).toEqual(["one", "two"]);
  });

  test("a program that does not read its stdin, or that writes without end, gives its exit code", async () => {
    write("deaf", "exit 4");
    write("loud", "yes");
    expect(await open("deaf", "x".repeat(1_000_000)).run("ADD", run)).toMatchObject({ exitCode: 4 });
    expect((await open("loud").run("ADD", run)).exitCode).not.toBe(0);
  });

  test("a file that is no program is told apart from a program that fails", async () => {
    writeFileSync(join(folder, "text"), "no program");
    await expect(open("text").run("ADD", run)).rejects.toMatchObject({ code: "IO_FAILURE" });
  });

  test("a program that goes on is ended at the limit", async () => {
    write("slow", "exec sleep 600");
    await expect(open("slow").run("ADD", { timeoutMs: 200, variables: {} })).rejects.toMatchObject({ code: "OPERATION_TIMEOUT" });
  });
});
