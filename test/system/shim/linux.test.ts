/** The shim on Linux, built with the sanitizers: each way a call can go. */
import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeCall, encodeAnswer, encodeRefusal, LIMITS, type Frame, type RpcCall } from "../../../src/service/rpc/frame.ts";
import { linuxProgram } from "../../support/paths.ts";
import { answer, RpcWorld } from "../../support/rpc-world.ts";
import {
  buildTestShim,
  HASTY,
  linuxShim,
  RawServer,
  readShimError,
  runShim,
  SANITIZED,
  type Serve,
  type ShimEnd,
} from "../../support/shim.ts";
import { BAD_REPLIES, REFUSED, VERSIONS } from "../../support/shim-faults.ts";
import { ANSWER, CALL, utf8 } from "../../support/shim-vectors.ts";
import { describeUnless } from "../../support/skip.ts";
import { sanitizerReason } from "../emulator/build.ts";

const INPUT = '{"cniVersion":"1.0.0","name":"pods"}';
const LATE = "did not answer in time";

describeUnless(process.platform === "linux" ? sanitizerReason() : "for Linux only", "the shim on Linux", () => {
  let folder = "";
  let shim = "";
  let hasty = "";
  let main = "";
  let world: RpcWorld;
  let raw: RawServer | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "hns-shim-"));
    [shim, hasty] = await Promise.all([
      buildTestShim(linuxShim, join(folder, "shim"), SANITIZED),
      buildTestShim(linuxShim, join(folder, "hasty"), [...SANITIZED, ...HASTY]),
    ]);
    // Stands for the main program: shows what it was given, and leaves a trace of having run.
    main = join(folder, "main");
    writeFileSync(main, `#!/bin/sh\necho ran >> ${join(folder, "ran")}\nenv >&2\ncat\nexit 7\n`, { mode: 0o755 });
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  beforeEach(() => {
    world = new RpcWorld();
    rmSync(join(folder, "ran"), { force: true });
  });

  afterEach(async () => {
    await raw?.close();
    raw = undefined;
    await world.close();
  });

  /** The environment of a call, with the socket of this test. */
  const variables = (command = "ADD", more: Record<string, string> = {}): Record<string, string> => ({
    CNI_COMMAND: command,
    HNS_CNI_SOCKET: raw?.path ?? world.path,
    HNS_CNI_MAIN: main,
    ...more,
  });

  const run = (command = "ADD", stdin: string | Uint8Array = INPUT): Promise<ShimEnd> => runShim(shim, { env: variables(command), stdin });

  const serveRaw = async (serve: Serve): Promise<void> => {
    raw = await RawServer.start(world.folder, serve);
  };

  const expectNoMain = (): void => expect(() => readFileSync(join(folder, "ran"))).toThrow(/ENOENT/);

  describe("with an agent", () => {
    it("sends the call as the protocol says, byte by byte", async () => {
      const requests: Frame[] = [];
      await serveRaw((socket, request) => {
        void request.then((frame) => {
          requests.push(frame);
          socket.write(ANSWER.frame);
        });
      });
      const env = { ...variables(), PATH: "/bin", CNI_ARGS: "ü" };
      expect(await runShim(shim, { env, stdin: "{}", argv0: "p" })).toMatchObject({ code: 1, stdout: "out", stderr: "e" });
      const body = Buffer.from(requests[0]?.body ?? []);
      // The clock has run on by a moment since the call began.
      const left = body.readUInt32LE(0);
      expect(left > 90_000 && left <= CALL.value.deadlineMs).toBe(true);
      expect(body.subarray(4).toString("hex")).toBe(Buffer.from(CALL.frame.subarray(20)).toString("hex"));
    });

    it.each(["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"])("hands over %s and gives back what comes", async (command) => {
      const seen: RpcCall[] = [];
      await world.serve((one) => {
        seen.push(one);
        return Promise.resolve({ code: 3, stdout: utf8(`{"command":"${command}"}`), stderr: utf8("warned") });
      });
      const env = variables(command, {
        CNI_NETNS: "",
        cni_ifname: "eth0",
        TRACEPARENT: "00-ab",
        NODE_OPTIONS: "--bogus",
        CNI: "x",
        CNI_: "y",
      });
      const end = await runShim(shim, { env, stdin: INPUT });
      expect(end).toEqual({ code: 3, signal: null, stdout: `{"command":"${command}"}`, stderr: "warned" });
      expect(seen).toHaveLength(1);
      expect(seen[0]?.stdin).toEqual(utf8(INPUT));
      expect(seen[0]?.variables).toEqual({ CNI_COMMAND: command, CNI_NETNS: "", cni_ifname: "eth0", TRACEPARENT: "00-ab" });
      expectNoMain();
    });

    it("writes nothing when the answer has nothing", async () => {
      await world.serve(() => Promise.resolve(answer("")));
      expect(await run("DEL")).toEqual({ code: 0, signal: null, stdout: "", stderr: "" });
    });

    it("carries the largest input and output", async () => {
      const text = "x".repeat(LIMITS.stdin);
      await world.serve((one) => Promise.resolve({ code: 0, stdout: one.stdin, stderr: new Uint8Array() }));
      const { code, stdout } = await run("ADD", text);
      expect(code).toBe(0);
      expect(stdout === text).toBe(true);
    });

    it("reads an answer that comes in single bytes, and leaves alone what follows", async () => {
      await serveRaw((socket, request) => {
        socket.setNoDelay(true);
        const frame = encodeAnswer({ code: 0, stdout: utf8("{}"), stderr: new Uint8Array() });
        void request.then(() => [...frame, 1, 2, 3].forEach((byte) => socket.write(Uint8Array.of(byte))));
      });
      expect(await run()).toMatchObject({ code: 0, stdout: "{}", stderr: "" });
    });

    it("reads an answer of the next version, with more at its end", async () => {
      await serveRaw((socket, request) => {
        const frame = Buffer.concat([encodeAnswer({ code: 0, stdout: utf8("{}"), stderr: new Uint8Array() }, 2), Buffer.from("more")]);
        frame.writeUInt32LE(frame.length - 16, 12);
        void request.then(() => socket.write(frame));
      });
      expect(await run()).toMatchObject({ code: 0, stdout: "{}" });
    });

    it("tells the runtime that an ADD failed whose result nobody reads", async () => {
      await world.serve(() => Promise.resolve({ ...answer(""), stdout: new Uint8Array(LIMITS.stdout) }));
      expect(await runShim(shim, { env: variables(), stdin: INPUT, isDeaf: true })).toMatchObject({ code: 1, signal: null });
    });

    it("works with standard streams that are closed", async () => {
      const seen: RpcCall[] = [];
      await world.serve((one) => {
        seen.push(one);
        return Promise.resolve(answer("{}"));
      });
      const end = await runShim("/bin/sh", { args: ["-c", `exec ${shim} <&- >&- 2>&-`], env: variables() });
      expect(end.code).toBe(0);
      expect(seen.map(({ stdin }) => stdin.length)).toEqual([0]);
    });
  });

  describe("with an agent that is there and gives no answer", () => {
    it.each(["ADD", "DEL", "STATUS", "VERSION"])("ends %s with error 11 at its deadline, and starts nothing", async (command) => {
      await serveRaw(() => undefined);
      const error = readShimError(await runShim(hasty, { env: variables(command), stdin: INPUT }));
      expect(error).toEqual({ cniVersion: "1.0.0", code: 11, msg: expect.stringContaining(LATE) as string });
      expectNoMain();
    });

    it("so too when it does not even read, and when it stops in the middle of its answer", async () => {
      await serveRaw((socket) => socket.pause());
      expect(readShimError(await runShim(hasty, { env: variables(), stdin: "x".repeat(LIMITS.stdin) })).msg).toContain(LATE);
      await raw?.close();
      await serveRaw((socket) => void socket.write(ANSWER.frame.subarray(0, 20)));
      expect(readShimError(await runShim(hasty, { env: variables(), stdin: INPUT })).msg).toContain(LATE);
      expectNoMain();
    });

    it("so too when its process is stopped and its queue is full", async () => {
      const server = await startServer(world.path, "listen({ path, backlog: 1 }, () => process.send(0))");
      try {
        server.kill("SIGSTOP");
        const all = await Promise.all(Array.from({ length: 6 }, () => runShim(hasty, { env: variables(), stdin: INPUT })));
        expect(all.map((end) => readShimError(end).code)).toEqual([11, 11, 11, 11, 11, 11]);
        expectNoMain();
      } finally {
        server.kill("SIGKILL");
      }
    });

    it("ends with error 11 when it dies at any byte of its answer", async () => {
      let length = 0;
      await serveRaw((socket, request) => void request.then(() => socket.end(ANSWER.frame.subarray(0, length))));
      for (; length < ANSWER.frame.length; length++) expect(readShimError(await run()).code).toBe(11);
      expect(await run()).toMatchObject({ code: 1, stdout: "out" });
      expectNoMain();
    });

    it.each(BAD_REPLIES)("that sends $name: error 11", async ({ content, says }) => {
      await serveRaw((socket, request) => void request.then(() => socket.end(content)));
      expect(readShimError(await run())).toEqual({ cniVersion: "1.0.0", code: 11, msg: expect.stringContaining(says) as string });
      expectNoMain();
    });

    it.each(REFUSED)("that refuses: $name: error 11", async ({ content, says }) => {
      await serveRaw((socket, request) => void request.then(() => socket.write(content)));
      expect(readShimError(await run())).toEqual({ cniVersion: "1.0.0", code: 11, msg: expect.stringContaining(says) as string });
      expectNoMain();
    });

    it("that refuses without having read a large request, and hangs up: its reason is told", async () => {
      await serveRaw((socket) => {
        socket.pause();
        socket.end(encodeRefusal({ reason: "busy", message: "" }), () => socket.destroy());
      });
      expect(readShimError(await run("ADD", "x".repeat(LIMITS.stdin))).msg).toContain("as many calls");
    });

    it.each(VERSIONS)("bears in its error the version of %j: %s", async (stdin, version) => {
      await serveRaw((socket) => void socket.end());
      expect(readShimError(await run("ADD", stdin)).cniVersion).toBe(version);
    });
  });

  describe("with a standard input that never ends", () => {
    it.each([
      ["ADD", "with nothing in it", { stdin: "", endless: "silent" }, "1.1.0"],
      ["STATUS", "with nothing in it", { stdin: "", endless: "silent" }, "1.1.0"],
      ["DEL", "after the whole configuration", { stdin: INPUT, endless: "silent" }, "1.0.0"],
      ["ADD", "that drips", { stdin: INPUT, endless: "dripping" }, "1.0.0"],
    ] as const)("%s %s ends with error 11 at its deadline, and nobody is asked", async (command, _name, input, cniVersion) => {
      await serveRaw(() => undefined);
      const error = readShimError(await runShim(hasty, { env: variables(command), ...input }));
      expect(error).toEqual({ cniVersion, code: 11, msg: expect.stringContaining("standard input did not end in time") as string });
      expect(raw?.connections).toBe(0);
      expectNoMain();
    });
  });

  describe("without an agent", () => {
    it("starts the main program with its input, streams, arguments and environment, but NODE_OPTIONS, and gives its exit code", async () => {
      const end = await runShim(shim, { env: variables("DEL", { NODE_OPTIONS: "--bogus", OTHER: "kept" }), stdin: INPUT });
      expect(end).toMatchObject({ code: 7, signal: null, stdout: INPUT });
      expect(end.stderr.split("\n")).toEqual(expect.arrayContaining(["CNI_COMMAND=DEL", "OTHER=kept"]));
      expect(end.stderr).not.toContain("NODE_OPTIONS");
    });

    it.each([
      ["an empty input", ""],
      ["the largest input", "x".repeat(LIMITS.stdin)],
    ])("gives the main program %s", async (_name, stdin) => {
      const { code, stdout } = await run("ADD", stdin);
      expect(code).toBe(7);
      expect(stdout === stdin).toBe(true);
    });

    it("leaves the main program's handling of a lost reader as it is everywhere", async () => {
      const program = join(folder, "signals");
      writeFileSync(program, "#!/bin/sh\ngrep SigIgn /proc/self/status\n", { mode: 0o755 });
      const { stdout } = await runShim(shim, { env: { ...variables(), HNS_CNI_MAIN: program } });
      const mask = Number.parseInt(/[0-9a-f]{8}\s*$/.exec(stdout)?.[0] ?? "ffffffff", 16);
      expect(mask & (1 << 12)).toBe(0); // SIGPIPE
    });

    it("does so over the socket of an agent that died", async () => {
      const server = await startServer(world.path, "listen(path, () => process.send(0))");
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGKILL");
      await ended;
      expect(await run()).toMatchObject({ code: 7, stdout: INPUT });
    });

    it("starts the real main program", async () => {
      const end = await runShim(shim, {
        env: { ...variables("VERSION"), HNS_CNI_MAIN: linuxProgram, NODE_OPTIONS: "--bogus" },
        stdin: INPUT,
      });
      expect(end).toMatchObject({ code: 0, stderr: "" });
      expect(JSON.parse(end.stdout)).toMatchObject({ cniVersion: "1.0.0" });
    });

    it.each([
      ["is missing", () => join(folder, "missing")],
      ["is a folder", () => folder],
      ["is the shim itself", () => shim],
      ["is a copy of the shim", () => copyOf(shim)],
    ])("ends with one error when the main program %s", async (_name, path) => {
      const error = readShimError(await runShim(shim, { env: { ...variables("DEL"), HNS_CNI_MAIN: path() }, stdin: INPUT }));
      expect(error).toEqual({ cniVersion: "1.0.0", code: 5, msg: expect.stringContaining("could not be started") as string });
    });

    it("ends with one error when it has no environment at all", async () => {
      expect(readShimError(await runShim(shim, { env: {}, stdin: INPUT })).code).toBe(5);
    });

    const copyOf = (program: string): string => {
      const copy = join(folder, "copy");
      copyFileSync(program, copy);
      return copy;
    };
  });

  describe("with what no agent should see", () => {
    it("refuses an input above 4 MiB, and more than 64 variables", async () => {
      await world.serve(() => Promise.reject(new Error("was called")));
      expect(readShimError(await run("ADD", `${INPUT}${" ".repeat(LIMITS.stdin)}`))).toMatchObject({ cniVersion: "1.0.0", code: 7 });
      const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`CNI_${index}`, "x"]));
      expect(readShimError(await runShim(shim, { env: variables("ADD", many), stdin: INPUT }))).toMatchObject({
        cniVersion: "1.0.0",
        code: 4,
      });
      expect(world.messages).toEqual(["listening"]);
      expectNoMain();
    });

    it("refuses a standard input that cannot be read", async () => {
      const end = await runShim("/bin/sh", { args: ["-c", `exec ${shim} < /`], env: variables() });
      expect(readShimError(end)).toMatchObject({ cniVersion: "1.1.0", code: 5 });
    });

    it("passes on bytes of the environment that are no UTF-8 without harm", async () => {
      const seen: RpcCall[] = [];
      await serveRaw((socket, request) => {
        void request.then((frame) => {
          seen.push(decodeCall(frame));
          socket.write(ANSWER.frame);
        });
      });
      await runShim("/bin/sh", { args: ["-c", `CNI_ARGS=$(printf '\\377\\001') exec ${shim}`], env: variables() });
      expect(seen[0]?.variables["CNI_ARGS"]).toBe("\uFFFD\u0001");
    });

    it.each([
      ["a path that is too long", "/x".repeat(100)],
      ["a path through a file", "/etc/passwd/agent.sock"],
    ])("reports a socket at %s", async (_name, path) => {
      expect(readShimError(await runShim(shim, { env: { ...variables(), HNS_CNI_SOCKET: path }, stdin: INPUT })).code).toBe(5);
      expectNoMain();
    });
  });

  const noRoot = process.getuid?.() === 0 ? undefined : "a server of another user can be started by root only";
  describeUnless(noRoot, "with a server of another user at the agent's place", () => {
    it("sends it nothing and ends with one error", async () => {
      chmodSync(world.folder, 0o777);
      const server = await startServer(
        world.path,
        'on("connection", (s) => s.on("data", () => process.send("data"))).listen(path, () => process.send(0))',
        65_534,
      );
      const received: unknown[] = [];
      server.on("message", (message) => received.push(message));
      const ended = new Promise((resolve) => server.once("exit", resolve));
      const end = await run();
      server.disconnect();
      server.kill("SIGTERM");
      await ended;
      expect(readShimError(end)).toEqual({ cniVersion: "1.0.0", code: 5, msg: expect.stringContaining("not trusted") as string });
      expect(received).toEqual([]);
      expectNoMain();
    });
  });
});

/** A server in a process of its own; `script` goes on from createServer() with `path`, and tells when it listens. */
async function startServer(path: string, script: string, uid?: number): Promise<ChildProcess> {
  const text = `const path = ${JSON.stringify(path)}; require("node:net").createServer().${script}`;
  const child = spawn(process.execPath, ["-e", text], {
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    ...(uid === undefined ? {} : { uid }),
  });
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", (code) => reject(new Error(`the server ended with code ${code ?? "none"}`)));
  });
  return child;
}
