/** The packaged programs as the IPAM plugin of another one: called by hand, and by a plugin that delegates as libcni's do. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findNode } from "../emulator/client.ts";
import { expectSilence, makeContainerId, parseDocument, parseError } from "../support/cni-node.ts";
import { linuxProgram } from "../support/paths.ts";
import { describeProgram, describePrograms, linux, type ProgramOutcome } from "../support/programs.ts";
import { readState } from "../support/state-file.ts";
import { runProcess } from "../support/run-process.ts";
import { containing } from "../unit/core/cni/matchers.ts";

const VERSIONS = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const;
const ROUTES = [{ dst: "0.0.0.0/0" }, { dst: "192.168.0.0/16", gw: "10.1.0.9" }];
/** Nothing answers here: a program that turned to HNS would fail. */
const NO_HNS = "127.0.0.1:1";

/** The short form of each version. */
function expectedResult(cniVersion: (typeof VERSIONS)[number], address: string): object {
  const ip = { address, gateway: "10.1.0.1" };
  switch (cniVersion) {
    case "0.1.0":
    case "0.2.0":
      return { cniVersion, ip4: { ip: address, gateway: "10.1.0.1", routes: ROUTES }, dns: {} };
    case "0.3.0":
    case "0.3.1":
    case "0.4.0":
      return { cniVersion, ips: [{ version: "4", ...ip }], routes: ROUTES, dns: {} };
    case "1.0.0":
    case "1.1.0":
      return { cniVersion, ips: [ip], routes: ROUTES };
  }
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hns-cni-ipam-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describePrograms("the IPAM plugin of another plugin", (program) => {
  const call = (
    command: string,
    container: string,
    changes: { cniVersion?: string; ipam?: object; valid?: readonly object[]; env?: Record<string, string>; config?: object } = {},
  ): Promise<ProgramOutcome> => {
    const own = { type: "hns-cni", subnet: "10.1.0.0/29", routes: ROUTES, dataDir: program.path(folder), waitSeconds: 0 };
    const config = {
      cniVersion: changes.cniVersion ?? "1.1.0",
      name: "l2",
      type: "win-bridge",
      mode: "bridge",
      ipam: { ...own, ...changes.ipam },
      ...(changes.valid !== undefined && { "cni.dev/valid-attachments": changes.valid }),
      ...changes.config,
    };
    const attachment =
      command === "GC" || command === "STATUS" ? {} : { CNI_CONTAINERID: container, CNI_NETNS: "none", CNI_IFNAME: "eth0" };
    const env = { CNI_COMMAND: command, CNI_PATH: "/opt/cni/bin", HNS_CNI_HCN_LIBRARY: "/nonexistent", ...attachment, ...changes.env };
    return program.run({ env, stdin: JSON.stringify(config) }, NO_HNS);
  };
  const held = (): string[] => readState(folder).addresses.flatMap(({ state, address }) => (state === "assigned" ? [address] : []));

  it.each(VERSIONS)("point 77: answers in the short form of %s", async (cniVersion) => {
    const container = makeContainerId();
    const outcome = await call("ADD", container, { cniVersion });
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(parseDocument(outcome)).toEqual(expectedResult(cniVersion, "10.1.0.2/29"));
    expect(parseDocument(await call("ADD", container, { cniVersion }))).toEqual(parseDocument(outcome));
    expectSilence(await call("DEL", container, { cniVersion }));
    expect(held()).toEqual([]);
  });

  it("serves every command, and a DEL whose configuration is broken", async () => {
    const [first, second] = [makeContainerId(), makeContainerId()];
    for (const container of [first, second]) expect(await call("ADD", container)).toMatchObject({ code: 0 });
    expect(held()).toEqual(["10.1.0.2", "10.1.0.3"]);
    expectSilence(await call("CHECK", first));
    expectSilence(await call("STATUS", ""));
    expectSilence(await call("GC", "", { valid: [{ containerID: second, ifname: "eth0" }] }));
    expect(parseError(await call("CHECK", first))).toMatchObject({ code: 103 });
    expectSilence(await call("CHECK", second));
    expectSilence(await call("DEL", second, { ipam: { subnet: "nonsense", routes: 5 } }));
    expectSilence(await call("DEL", makeContainerId()));
    expect(held()).toEqual([]);
  });

  it("tells all faults of its section at once, and that it has no more addresses", async () => {
    const faulty = await call("ADD", makeContainerId(), { ipam: { subnet: "10.1.0.1/29", cooldownSeconds: -1, rangeEnd: 7 } });
    expect(parseError(faulty)).toMatchObject({ code: 7, msg: containing("ipam.cooldownSeconds") });
    expect(parseError(faulty).msg).toContain("ipam.subnet");
    const one = { rangeStart: "10.1.0.6", rangeEnd: "10.1.0.6" };
    expect(await call("ADD", makeContainerId(), { ipam: one })).toMatchObject({ code: 0 });
    expect(parseError(await call("ADD", makeContainerId(), { ipam: one }))).toMatchObject({ code: 11 });
  });

  it("gives an address of each set of ranges, with those that are asked for, and the same on a repeat", async () => {
    const ipam = { subnet: undefined, ranges: [[{ subnet: "10.1.2.0/24" }], [{ subnet: "2001:db8:1::/64" }]], routes: undefined };
    const config = { args: { cni: { ips: ["2001:db8:1::77"] } } };
    const container = makeContainerId();
    const ips = [
      { address: "10.1.2.2/24", gateway: "10.1.2.1" },
      { address: "2001:db8:1::77/64", gateway: "2001:db8:1::1" },
    ];
    for (let time = 0; time < 2; time++) {
      expect(parseDocument(await call("ADD", container, { ipam, config }))).toEqual({ cniVersion: "1.1.0", ips });
    }
    expect(parseError(await call("ADD", makeContainerId(), { ipam, config }))).toMatchObject({
      code: 11,
      msg: containing("2001:db8:1::77"),
    });
    expect(held()).toEqual(["10.1.2.2", "2001:db8:1::77"]);
    expectSilence(await call("DEL", container, { ipam }));
    expect(held()).toEqual([]);
  });

  it("gives a pod of a StatefulSet its address back", async () => {
    const ipam = { cooldownSeconds: 0, routes: undefined };
    const pod = (name: string): Record<string, string> => ({ CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=${name}` });
    const add = async (name: string, container = makeContainerId()): Promise<{ ips: unknown; container: string }> => {
      const { ips } = parseDocument(await call("ADD", container, { ipam, env: pod(name) }));
      return { ips, container };
    };
    const first = await add("db-0");
    expect(first.ips).toMatchObject([{ address: "10.1.0.2/29" }]);
    expectSilence(await call("DEL", first.container, { ipam }));
    expect((await add("web-a")).ips).toMatchObject([{ address: "10.1.0.3/29" }]);
    expect((await add("db-0")).ips).toMatchObject([{ address: "10.1.0.2/29" }]);
  });
});

describeProgram(linux, "the IPAM plugin of a plugin that delegates", () => {
  /** A main plugin in a few lines: it runs its IPAM plugin as the specification says and adds an interface to the answer. */
  const SOURCE = `
    const { execFileSync } = require("node:child_process");
    const stdin = require("node:fs").readFileSync(0, "utf8");
    const { ipam } = JSON.parse(stdin);
    const folder = process.env.CNI_PATH.split(":").find((path) => require("node:fs").existsSync(path + "/" + ipam.type));
    try {
      const answer = execFileSync(folder + "/" + ipam.type, [], { input: stdin, encoding: "utf8" });
      if (answer !== "") process.stdout.write(JSON.stringify({ ...JSON.parse(answer), interfaces: [{ name: "eth0" }] }));
    } catch (error) {
      process.stdout.write(error.stdout);
      process.exitCode = 1;
    }
  `;

  it("point 77: gives that plugin's containers addresses of their own", async () => {
    const plugins = join(folder, "bin");
    mkdirSync(plugins);
    const main = join(plugins, "small-bridge");
    writeFileSync(main, `#!${findNode()}\n${SOURCE}`);
    chmodSync(main, 0o755);
    const config = {
      cniVersion: "1.0.0",
      name: "small",
      type: "small-bridge",
      ipam: { type: "hns-cni", cidr: "10.1.0.0/29", stateDir: folder },
    };
    const call = (command: string, container: string): Promise<ProgramOutcome> =>
      runProcess(main, {
        env: {
          PATH: process.env["PATH"] ?? "",
          CNI_COMMAND: command,
          CNI_CONTAINERID: container,
          CNI_NETNS: "/proc/self/ns/net",
          CNI_IFNAME: "eth0",
          CNI_PATH: `${plugins}:${dirname(linuxProgram)}`,
        },
        stdin: JSON.stringify(config),
      });
    const [first, second] = [makeContainerId(), makeContainerId()];
    const results = [await call("ADD", first), await call("ADD", second)].map((outcome) => parseDocument(outcome));
    expect(results).toMatchObject([{ ips: [{ address: "10.1.0.3/29" }], interfaces: [{}] }, { ips: [{ address: "10.1.0.4/29" }] }]);
    expect(await call("CHECK", first)).toMatchObject({ code: 0, stdout: "" });
    expect(await call("DEL", first)).toMatchObject({ code: 0, stdout: "" });
    expect(await call("CHECK", first)).toMatchObject({ code: 1, stdout: containing('"code":103') });
  });
});
