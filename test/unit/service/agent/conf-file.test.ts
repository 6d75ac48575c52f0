import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogFields, Logger } from "../../../../src/core/base/log.ts";
import { ConfFile } from "../../../../src/service/agent/conf-file.ts";
import { parseAgentConfig } from "../../../../src/service/agent/config.ts";

const CONF = '{"cniVersion":"1.1.0","name":"pods","plugins":[]}';

describe("the conf file", () => {
  let root: string;
  let folder: string;
  let lines: { level: string; message: string; fields: LogFields }[];

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "hns-cni-conf-"));
    folder = mkdtempSync(join(root, "net.d-"));
    writeFileSync(join(root, "source"), CONF);
    lines = [];
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function open(changes: object = {}): ConfFile {
    const { cniConf } = parseAgentConfig(JSON.stringify({ cniConf: { source: join(root, "source"), ...changes } }), "agent.json");
    const write =
      (level: string) =>
      (message: string, fields: LogFields = {}): void =>
        void lines.push({ level, message, fields });
    const log: Logger = { error: write("error"), warn: write("warn"), info: write("info"), debug: write("debug") };
    return new ConfFile(cniConf, folder, log);
  }

  test("is published whole, under its own name alone", () => {
    open().publish();
    expect(readdirSync(folder)).toEqual(["10-hns-cni.conflist"]);
    expect(readFileSync(join(folder, "10-hns-cni.conflist"), "utf8")).toBe(CONF);
  });

  test("takes the place of an older one in one step, and is left alone when it says the same", () => {
    writeFileSync(join(folder, "10-hns-cni.conflist"), "older");
    const before = statSync(join(folder, "10-hns-cni.conflist")).ino;
    open().publish();
    const published = statSync(join(folder, "10-hns-cni.conflist")).ino;
    expect(published).not.toBe(before); // renamed into place, not written over
    open().publish();
    expect(statSync(join(folder, "10-hns-cni.conflist")).ino).toBe(published);
  });

  test("those of others that sort first are reported as an error, with their names", () => {
    for (const name of ["00-other.conflist", "05-nat.conf", "20-later.conf", "01-note.txt"]) writeFileSync(join(folder, name), "{}");
    open().publish();
    expect(lines.filter(({ level }) => level === "error")).toEqual([
      {
        level: "error",
        message: "another cni configuration comes first",
        fields: { folder, files: ["00-other.conflist", "05-nat.conf"] },
      },
    ]);
  });

  test.each([
    ["that is missing", undefined, /cannot read .*source \(cniConf\.source\)/],
    ["that is no JSON", "{", /source \(cniConf\.source\) is no JSON/],
  ])("a source %s is refused, and what was there stays", (_what, content, message) => {
    writeFileSync(join(folder, "10-hns-cni.conflist"), "older");
    if (content === undefined) rmSync(join(root, "source"));
    else writeFileSync(join(root, "source"), content);
    expect(() => open().publish()).toThrow(message);
    expect(readFileSync(join(folder, "10-hns-cni.conflist"), "utf8")).toBe("older");
  });

  test("a folder that is missing is an error that names the file, and leaves no draft anywhere", () => {
    expect(() => open({ folder: join(folder, "nowhere") }).publish()).toThrow(/cannot write .*nowhere.10-hns-cni\.conflist/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("is taken away on stop only where that is configured, and only ours", () => {
    writeFileSync(join(folder, "99-other.conflist"), "{}");
    open().publish();
    open().withdraw();
    expect(readdirSync(folder)).toHaveLength(2);
    open({ removeOnStop: true }).withdraw();
    expect(readdirSync(folder)).toEqual(["99-other.conflist"]);
    open({ removeOnStop: true }).withdraw();
  });

  test("without a source nothing is written and nothing taken away", () => {
    const { cniConf } = parseAgentConfig('{"cniConf":{"removeOnStop":true}}', "agent.json");
    writeFileSync(join(folder, cniConf.name), "somebody's");
    const silent: Logger = { error: fail, warn: fail, info: fail, debug: fail };
    const file = new ConfFile(cniConf, folder, silent);
    file.publish();
    file.withdraw();
    expect(readFileSync(join(folder, cniConf.name), "utf8")).toBe("somebody's");
  });
});

function fail(message: string): never {
  throw new Error(message);
}
