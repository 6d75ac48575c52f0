/** The program as pkg packs it does what the product's own executables do. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { runProcess } from "../../bench/process.ts";
import { pkgLinuxProgram, pkgWindowsProgram } from "../../bench/paths.ts";
import { findNode } from "../../emulator/client.ts";
import { CniNode } from "../../support/cni-node.ts";
import { packagedReason } from "../../support/packaged.ts";
import { build, emulatorLibrary } from "../../support/paths.ts";
import { type CniProgram, linux, START_MS, windows } from "../../support/programs.ts";
import { describeUnless } from "../../support/skip.ts";
import { hideVirtualAlloc2, runUnderWine, startWine, type WineMachine, wineReason } from "../../support/wine.ts";
import { installFile } from "../../support/wine-files.ts";

const run = promisify(execFile);
const BUILD_MS = 300_000;

const programs: readonly CniProgram[] = [packedLinux(), packedWindows()];

describe.each(programs)("the program packed by pkg", (program) => {
  describeUnless(program.reason, `pkg: ${program.name}`, () => {
    let started: CniNode | undefined;

    beforeAll(async () => {
      await run(findNode(), [join(process.cwd(), "scripts/package-pkg.ts")], { timeout: BUILD_MS });
      await program.start();
      started = await CniNode.start(program);
    }, BUILD_MS + START_MS);

    afterAll(() => started?.close());

    it("attaches a pod, finds it as it should be, and detaches it", async () => {
      const node = getNode();
      const pod = await node.makePod();
      const result = await node.add(pod);
      expect(result.ips).toHaveLength(1);
      const [endpoint] = (await node.emulator.endpoints()).filter(({ namespace }) => namespace === pod.netns);
      expect(endpoint?.mac.replaceAll("-", ":").toLowerCase()).toBe(result.interfaces[0]?.mac);
      await node.callSilently("CHECK", pod, { prevResult: result });
      await node.callSilently("DEL", pod);
      expect((await node.emulator.endpoints()).filter(({ namespace }) => namespace === pod.netns)).toEqual([]);
    });

    it("answers VERSION", async () => {
      const { code, stdout, stderr } = await getNode().run({ cniVersion: "1.1.0" }, { CNI_COMMAND: "VERSION" });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(JSON.parse(stdout)).toMatchObject({ cniVersion: "1.1.0", supportedVersions: expect.arrayContaining(["1.0.0"]) as unknown });
    });

    it("has the admin command line", async () => {
      const { code, stdout, stderr } = await getNode().run("", {});
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain("hns-cni explain");
    });

    function getNode(): CniNode {
      if (started === undefined) throw new Error("the node was not started");
      return started;
    }
  });
});

function packedLinux(): CniProgram {
  return {
    ...linux,
    name: "the Linux program of pkg",
    reason: packagedReason(),
    run: ({ env, stdin }, address) =>
      runProcess({ program: pkgLinuxProgram, env: { HNS_CNI_HCN_LIBRARY: emulatorLibrary, HNS_EMULATOR_ADDRESS: address, ...env }, stdin }),
  };
}

/** Runs a copy that an older Wine can run too; see startWine. */
function packedWindows(): CniProgram {
  const folder = join(build, "wine/pkg");
  let ready: { machine: WineMachine; exe: string } | undefined;
  return {
    ...windows,
    name: "the Windows program of pkg under Wine",
    reason: wineReason(),
    start: async () => {
      const machine = await startWine();
      installFile(join(pkgWindowsProgram, "../koffi.node"), folder);
      ready = { machine, exe: installFile(pkgWindowsProgram, folder, machine.prefix.version < 10 ? hideVirtualAlloc2 : undefined) };
    },
    run: async ({ env, ...call }, address) => {
      if (ready === undefined) throw new Error("the program was not made ready");
      return runUnderWine(ready.machine, { ...call, exe: ready.exe, env: { HNS_EMULATOR_ADDRESS: address, ...env } });
    },
  };
}
