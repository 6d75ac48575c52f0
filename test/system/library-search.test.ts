/** Which libraries the programs load: on Windows those of the system folder alone, on Linux the one that is named. */
import { copyFileSync, existsSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { LINUX_SOURCES } from "../emulator/native/build.ts";
import { buildVariables, CniNode, parseDocument, parseError } from "../support/cni-node.ts";
import { compile, compilerReason, LINUX_COMPILER, WINDOWS_COMPILER } from "../support/compile.ts";
import { build, emulatorLibrary } from "../support/paths.ts";
import { linux, START_MS, windows } from "../support/programs.ts";
import { describeUnless } from "../support/skip.ts";
import { runUnderWine, startWine, type WineMachine } from "../support/wine.ts";

const LIBRARIES = ["computenetwork.dll", "vmcompute.dll"];

describeUnless(windows.reason ?? compilerReason(WINDOWS_COMPILER), "libraries of the Windows program", () => {
  let node: CniNode;
  let machine: WineMachine;
  /** Holds a copy of the program, the traps beside it, and a folder of traps for the variables. */
  let folder: string;
  let exe: string;
  let marker: string;

  beforeAll(async () => {
    machine = await startWine();
    node = await CniNode.start(windows);
    mkdirSync(build, { recursive: true });
    folder = mkdtempSync(join(build, "library-search-"));
    marker = join(folder, "loaded");
    exe = join(folder, basename(machine.program));
    // The same disk: a link instead of a copy of 90 MB.
    for (const file of [machine.program, join(dirname(machine.program), "koffi.node")]) linkSync(file, join(folder, basename(file)));
    const trap = join(folder, "trap.dll");
    await compile(WINDOWS_COMPILER, ["-shared", "-o", trap, source("trap.c")]);
    await compile(WINDOWS_COMPILER, ["-o", join(folder, "bait.exe"), source("bait.c")]);
    for (const place of ["", "elsewhere", "elsewhere/System32", "elsewhere/system32"]) {
      mkdirSync(join(folder, place), { recursive: true });
      for (const name of LIBRARIES) copyFileSync(trap, join(folder, place, name));
    }
  }, START_MS);

  afterAll(async () => {
    await node.close();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    await node.renew();
    rmSync(marker, { force: true });
  });

  it.each(LIBRARIES)("the trap works: a program that loads %s by its name alone falls into it", async (name) => {
    const env = { HNS_TEST_MARKER: windows.path(marker) };
    expect(await runUnderWine(machine, { exe: join(folder, "bait.exe"), args: [name], env })).toMatchObject({ code: 0 });
    expect(existsSync(marker)).toBe(true);
  });

  it.each([
    ["beside the program", {}],
    ["in the folder that PATH names first", { WINEPATH: "<traps>", PATH: "<traps>" }],
    ["in the folder that SystemRoot and windir name", { SystemRoot: "<traps>", windir: "<traps>" }],
    ["named by HNS_CNI_HCN_LIBRARY", { HNS_CNI_HCN_LIBRARY: "<traps>\\computenetwork.dll" }],
    ["in the folder that CNI_PATH names", { CNI_PATH: "<traps>" }],
  ])("a library %s is not loaded", async (_, variables: Readonly<Record<string, string>>) => {
    const pod = await node.makePod();
    const traps = windows.path(join(folder, "elsewhere"));
    const placed = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, value.replace("<traps>", traps)]));
    const own = { HNS_EMULATOR_ADDRESS: node.emulator.address, HNS_TEST_MARKER: windows.path(marker) };
    const outcome = await runUnderWine(machine, {
      exe,
      // The current folder has the traps too.
      cwd: join(folder, "elsewhere"),
      env: { ...buildVariables("ADD", pod), ...own, ...placed },
      stdin: JSON.stringify(node.buildInput({}, pod.runtimeConfig)),
    });
    expect(existsSync(marker)).toBe(false);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(parseDocument(outcome)).toMatchObject({ ips: [{ address: "10.244.3.3/24" }] });
  });
});

describeUnless(linux.reason ?? compilerReason(LINUX_COMPILER), "the library of the Linux program", () => {
  let node: CniNode;
  let folder: string;

  beforeAll(async () => {
    node = await CniNode.start(linux);
    folder = mkdtempSync(join(tmpdir(), "hns-cni-library-"));
  });
  afterAll(async () => {
    await node.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => node.renew());

  it("is the one that HNS_CNI_HCN_LIBRARY names", async () => {
    const copy = join(folder, "another name.so");
    copyFileSync(emulatorLibrary, copy);
    await node.add(await node.makePod(), { env: { HNS_CNI_HCN_LIBRARY: copy } });
  });

  it.each([
    ["not named", "", "HNS_CNI_HCN_LIBRARY names no library", "set HNS_CNI_HCN_LIBRARY to the emulator's libcomputenetwork.so"],
    [
      "not there",
      "/nowhere/libcomputenetwork.so",
      "cannot load /nowhere/libcomputenetwork.so",
      "set HNS_CNI_HCN_LIBRARY to the emulator's libcomputenetwork.so",
    ],
  ])("makes ADD, DEL and CHECK fail with code 11 and the remedy when it is %s", async (_, path, text, remedy) => {
    const pod = await node.makePod();
    for (const command of ["ADD", "DEL", "CHECK"] as const) {
      const { code, msg } = parseError(await node.call(command, pod, { env: { HNS_CNI_HCN_LIBRARY: path } }));
      expect({ command, code }).toEqual({ command, code: 11 });
      expect(msg).toContain(text);
      expect(msg).toContain(remedy);
    }
  });

  it("may lack the allocator and the questions about the machine: forwarding is then left alone, with a warning", async () => {
    const foreign = join(folder, "foreign.so");
    await buildForeign(foreign);
    const pod = await node.makePod();
    const env = { HNS_CNI_HCN_LIBRARY: foreign };
    const prevResult = await node.add(pod, { env });
    const warnings = node.log().filter(({ level }) => level === "warn");
    expect(warnings).toMatchObject([{ message: "forwarding not enabled: this system has no function for it", address: "10.244.3.2" }]);
    expect((await node.emulator.endpoints()).map(({ forwarding }) => forwarding)).toEqual([false, false]);
    await node.callSilently("CHECK", pod, { env, prevResult });
    await node.callSilently("DEL", pod, { env });
    expect(await node.emulator.handles()).toEqual([]);
  });

  /** The emulator's library without the exports that stand for Windows itself, as another implementation of HCN would be. */
  async function buildForeign(path: string): Promise<void> {
    const script = join(folder, "exports.map");
    writeFileSync(script, "{ global: Hcn*; HNSCall; local: *; };\n");
    const flags = ["-fPIC", "-shared", "-fvisibility=hidden", "-pthread", `-Wl,--version-script=${script}`, "-Wl,-z,nodelete"];
    await compile(LINUX_COMPILER, [
      ...flags,
      "-o",
      path,
      ...LINUX_SOURCES.map((name) => join(process.cwd(), "test/emulator/native", name)),
    ]);
  }
});

function source(name: string): string {
  return join(process.cwd(), "test/system", name);
}
