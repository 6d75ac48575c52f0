/** The Windows shim under Wine: the pipe, who serves it, and the main program. What both platforms share is tested on Linux. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LIMITS } from "../../../src/service/rpc/frame.ts";
import { compile, WINDOWS_COMPILER } from "../../support/compile.ts";
import { START_MS } from "../../support/programs.ts";
import { buildTestShim, readShimError, shimReason, windowsShim } from "../../support/shim.ts";
import { bundleHost, type HostOptions, installPlainNode, PipeHost } from "../../support/shim-wine.ts";
import { ANSWER, bytes } from "../../support/shim-vectors.ts";
import { describeUnless } from "../../support/skip.ts";
import { runUnderWine, startWine, type WineMachine, wineReason, type WineResult } from "../../support/wine.ts";

const INPUT = '{"cniVersion":"1.0.0","name":"pods"}';
/** Names of this suite's own: others may install the product and run an agent in the same prefix. */
const PIPE = "hns-cni-shim-test";
const FOLDER = "HnsCniShimTest";
const FLAGS = ["-O1", ...windowsShim.flags, `-DSHIM_PIPE="${PIPE}"`, `-DSHIM_FOLDER="${FOLDER}"`];

describeUnless(wineReason() ?? shimReason(windowsShim), "the shim on Windows (Wine)", () => {
  let folder = "";
  let shim = "";
  let standIn = "";
  /** The folder of the main program. */
  let place = "";
  let machine: WineMachine;
  let options: HostOptions;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "hns-shim-wine-"));
    machine = await startWine();
    options = { machine, node: installPlainNode(machine), script: await bundleHost(folder), pipe: PIPE };
    shim = await buildTestShim(windowsShim, join(folder, "shim.exe"), FLAGS);
    standIn = join(folder, "stand-in.exe");
    await compile(WINDOWS_COMPILER, ["-o", standIn, join(process.cwd(), "test/support/shim-main.c")]);
    place = join(machine.prefix.folder, "drive_c/Program Files", FOLDER);
  }, START_MS);

  afterAll(() => rmSync(folder, { recursive: true }));

  beforeEach(() => rmSync(place, { recursive: true, force: true }));

  afterEach(() => rmSync(place, { recursive: true, force: true }));

  const installMain = (program: string): void => {
    mkdirSync(place, { recursive: true });
    symlinkSync(program, join(place, "hns-cni.exe"));
  };

  interface Call {
    readonly exe?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly stdin?: string;
  }

  const run = ({ exe = shim, env = {}, stdin = INPUT }: Call = {}): Promise<WineResult> =>
    runUnderWine(machine, { exe, env: { CNI_COMMAND: "ADD", ...env }, stdin });

  it("ends at once when its stack was written over, by a guard that differs from run to run", async () => {
    const exe = join(folder, "smash.exe");
    const sources = ["test/support/stack-smash.c", "src/shim/stack-guard.c"].map((file) => join(process.cwd(), file));
    await compile(WINDOWS_COMPILER, ["-fstack-protector-strong", "-static", "-o", exe, ...sources, "-ladvapi32"]);
    const guards = new Set<string>();
    for (const [stdin, code] of [
      ["x".repeat(16), 0],
      ["x".repeat(64), 0x09], // the low byte of STATUS_STACK_BUFFER_OVERRUN
    ] as const) {
      const end = await runUnderWine(machine, { exe, stdin });
      expect(end.code).toBe(code);
      expect(end.stdout).toMatch(/^[0-9a-f]{14}00\s*$/);
      guards.add(end.stdout);
    }
    expect(guards.size).toBe(2);
  });

  describe("with a server of this project", () => {
    let host: PipeHost;

    beforeAll(async () => {
      host = await PipeHost.start(options, "server");
    }, 120_000);

    afterAll(() => host.close());

    it("hands over the call and gives back answer and exit code", async () => {
      const env = { CNI_CONTAINERID: "c1", CNI_ARGS: "name=ü€", cni_ifname: "eth0", TRACEPARENT: "00-ab" };
      const { code, stdout, stderr } = await run({ env: { ...env, OTHER: "x", LC_ALL: "C.UTF-8" } });
      expect({ code, stderr }).toEqual({ code: 3, stderr: "warned" });
      const seen = JSON.parse(stdout) as { program: string; variables: Record<string, string>; stdin: string };
      expect(seen.stdin).toBe(INPUT);
      expect(seen.program).toMatch(/\\shim\.exe$/);
      expect(seen.variables).toEqual({ CNI_COMMAND: "ADD", ...env });
    });

    it("carries the largest input and output", async () => {
      const text = "x".repeat(LIMITS.stdin);
      const { code, stdout } = await run({ env: { CNI_CONTAINERID: "echo" }, stdin: text });
      expect(code).toBe(0);
      expect(stdout === text).toBe(true);
    });

    it("refuses an input above the limit, and so does the shim as it is shipped", async () => {
      const exe = join(process.cwd(), windowsShim.file);
      for (const program of [shim, exe])
        expect(readShimError(await run({ exe: program, stdin: `${INPUT}${" ".repeat(LIMITS.stdin)}` }))).toMatchObject({
          cniVersion: "1.0.0",
          code: 7,
        });
    });

    it("ends with error 11 when the handler fails", async () => {
      expect(readShimError(await run({ env: { CNI_CONTAINERID: "broken" } }))).toMatchObject({ cniVersion: "1.0.0", code: 11 });
    });

    it("is refused by a shim that trusts nobody whom this server could be", async () => {
      const exe = await buildTestShim(windowsShim, join(folder, "wary.exe"), ["-DSHIM_TRUSTED_GROUP=WinBuiltinGuestsSid", ...FLAGS]);
      const error = readShimError(await run({ exe, env: { CNI_CONTAINERID: "echo" } }));
      expect(error).toEqual({ cniVersion: "1.0.0", code: 5, msg: expect.stringContaining("not trusted") as string });
    });
  });

  it.each([
    ["hangs up in the middle of its answer", ANSWER.frame.subarray(0, 20), "cut the connection"],
    ["sends garbage", bytes("deadbeef deadbeef deadbeef deadbeef deadbeef"), "cannot be understood"],
    ["hangs up at once", new Uint8Array(), "cut the connection"],
  ])(
    "with a server that %s it ends with error 11",
    async (_name, content, says) => {
      const host = await PipeHost.start(options, content);
      try {
        expect(readShimError(await run())).toEqual({ cniVersion: "1.0.0", code: 11, msg: expect.stringContaining(says) as string });
      } finally {
        await host.close();
      }
    },
    120_000,
  );

  it("with a server that never answers it ends with error 11 at its deadline, and starts nothing", async () => {
    const exe = await buildTestShim(windowsShim, join(folder, "hasty.exe"), ["-DSHIM_DEADLINE_MS=1500", ...FLAGS]);
    installMain(standIn);
    const host = await PipeHost.start(options, "silent");
    try {
      for (const command of ["ADD", "STATUS"]) {
        const error = readShimError(await run({ exe, env: { CNI_COMMAND: command } }));
        expect(error).toEqual({ cniVersion: "1.0.0", code: 11, msg: expect.stringContaining("did not answer in time") as string });
      }
    } finally {
      await host.close();
    }
  }, 120_000);

  it.each([
    ["nothing in it", "", "1.1.0"],
    ["the whole configuration in it", INPUT, "1.0.0"],
  ])("with a standard input that has %s and never ends it ends with error 11, and starts nothing", async (_name, stdin, cniVersion) => {
    const exe = await buildTestShim(windowsShim, join(folder, "impatient.exe"), ["-DSHIM_DEADLINE_MS=1000", ...FLAGS]);
    installMain(standIn);
    const error = readShimError(await runUnderWine(machine, { exe, env: { CNI_COMMAND: "ADD" }, stdin, isEndless: true }));
    expect(error).toEqual({ cniVersion, code: 11, msg: expect.stringContaining("standard input did not end in time") as string });
  });

  describe("with nobody at the pipe", () => {
    it.each([
      ["a usual input", INPUT],
      ["an empty input", ""],
      ["the largest input", "x".repeat(LIMITS.stdin)],
    ])("starts the main program with %s, without NODE_OPTIONS, and gives its exit code", async (_name, stdin) => {
      installMain(standIn);
      const end = await run({ stdin, env: { CNI_COMMAND: "DEL", NODE_OPTIONS: "--bogus" } });
      // Of the code 0x107 Wine hands the low byte to Linux.
      expect({ code: end.code, stderr: end.stderr }).toEqual({ code: 7, stderr: "no NODE_OPTIONS DEL" });
      expect(end.stdout === stdin).toBe(true);
    });

    it("starts the real main program", async () => {
      installMain(machine.program);
      const end = await run({ env: { CNI_COMMAND: "VERSION", NODE_OPTIONS: "--bogus" } });
      expect(end).toMatchObject({ code: 0, stderr: "" });
      expect(JSON.parse(end.stdout)).toMatchObject({ cniVersion: "1.0.0" });
    }, 120_000);

    it("ends with one error when the main program is missing, and when it is the shim itself", async () => {
      expect(readShimError(await run())).toMatchObject({ cniVersion: "1.0.0", code: 5 });
      installMain(shim);
      expect(readShimError(await run())).toMatchObject({ cniVersion: "1.0.0", code: 5 });
    });
  });
});
