import { existsSync, statSync } from "node:fs";
import { forwardCall, type RpcOutcome } from "../../../src/service/rpc/client.ts";
import { decodeAnswer, decodeRefusal, encodeCall, LIMITS, type RpcAnswer, type RpcCall } from "../../../src/service/rpc/frame.ts";
import type { RpcServer } from "../../../src/service/rpc/server.ts";
import { answer, call, makeGate, RpcWorld } from "../../support/rpc-world.ts";
import { bytes, utf8 } from "../../support/shim-vectors.ts";

let world: RpcWorld;

beforeEach(() => {
  world = new RpcWorld();
});

afterEach(() => world.close());

/** Answers with the call's command. */
const echo = (one: RpcCall): Promise<RpcAnswer> => Promise.resolve(answer(one.variables["CNI_COMMAND"] ?? ""));

function forward(one: RpcCall = call(), version?: number): Promise<RpcOutcome> {
  return forwardCall(one, { path: world.path, ...(version === undefined ? {} : { version }) });
}

function textOf(outcome: RpcOutcome): string {
  return outcome.kind === "answered" ? Buffer.from(outcome.stdout).toString() : JSON.stringify(outcome);
}

describe("a call", () => {
  it("reaches the handler as it was sent, and its answer the caller", async () => {
    const seen: RpcCall[] = [];
    await world.serve((one) => {
      seen.push(one);
      return Promise.resolve({ code: 7, stdout: utf8("out"), stderr: utf8("err") });
    });
    const sent = call("DEL", { stdin: utf8('{"name":"ü"}'), variables: { CNI_COMMAND: "DEL", CNI_ARGS: "a=b;c=ü" } });
    expect(await forward(sent)).toEqual({ kind: "answered", code: 7, stdout: utf8("out"), stderr: utf8("err") });
    expect(seen).toEqual([sent]);
  });

  it("may be as large as the limits", async () => {
    await world.serve((one) => Promise.resolve({ code: 0, stdout: one.stdin, stderr: new Uint8Array(LIMITS.stderr) }));
    const stdin = new Uint8Array(LIMITS.stdin).map((_, index) => index % 251);
    const outcome = await forward(call("ADD", { stdin }));
    expect(outcome.kind === "answered" && Buffer.compare(outcome.stdout, stdin)).toBe(0);
  });

  it("is answered among many others, each with its own", async () => {
    await world.serve(async (one) => {
      await new Promise((resolve) => setImmediate(resolve));
      return echo(one);
    });
    const names = Array.from({ length: 50 }, (_, index) => `CALL-${index}`);
    expect((await Promise.all(names.map((name) => forward(call(name))))).map(textOf)).toEqual(names);
  });

  it("is read from single bytes", async () => {
    await world.serve(echo);
    const client = await world.connect();
    client.socket.setNoDelay(true);
    for (const byte of encodeCall(call())) client.send(Uint8Array.of(byte));
    const frame = await client.frame;
    expect(frame?.type).toBe("answer");
  });

  it("whose handler fails is refused, without the reason's text, which is logged", async () => {
    await world.serve(() => Promise.reject(new Error("secret")));
    const client = await world.connect();
    client.send(encodeCall(call()));
    const frame = await client.frame;
    expect(frame?.type).toBe("refusal");
    expect(Buffer.from(frame?.body ?? []).toString()).not.toContain("secret");
    expect(await forward()).toEqual({ kind: "silent", reason: "failed" });
    expect(world.messages).toContain("call failed");
  });

  it("whose answer is beyond the limits is refused", async () => {
    await world.serve(() => Promise.resolve({ ...answer(""), stdout: new Uint8Array(LIMITS.stdout + 1) }));
    expect(await forward()).toEqual({ kind: "silent", reason: "failed" });
  });

  it("is refused at the server's deadline, and its handler told", async () => {
    const told = makeGate();
    await world.serve(
      (_one, signal) => {
        signal.addEventListener("abort", () => told.open());
        return new Promise(() => undefined);
      },
      { limits: { callMs: 20 } },
    );
    expect(await forward()).toEqual({ kind: "silent", reason: "late" });
    await told.promise;
  });

  it("is refused at the caller's deadline when that is the nearer one", async () => {
    await world.serve(() => new Promise(() => undefined));
    const client = await world.connect();
    client.send(encodeCall(call("ADD", { deadlineMs: 20 })));
    const frame = await client.frame;
    expect(frame === undefined ? undefined : decodeRefusal(frame).reason).toBe("late");
  });

  it("tells its handler when the caller has gone", async () => {
    const [begun, told] = [makeGate(), makeGate()];
    await world.serve((_one, signal) => {
      signal.addEventListener("abort", () => told.open());
      begun.open();
      return new Promise(() => undefined);
    });
    const client = await world.connect();
    client.send(encodeCall(call()));
    await begun.promise;
    client.socket.destroy();
    await told.promise;
  });
});

describe("peers of versions beside each other", () => {
  it.each([
    [1, 1],
    [1, 2],
    [2, 1],
    [3, 2],
    [3, 4],
  ])("server %i and client %i understand each other", async (server, client) => {
    await world.serve(echo, { version: server });
    expect(textOf(await forward(call(), client))).toBe("ADD");
  });

  it("two versions apart, the call is refused or its refusal not understood, and never answered", async () => {
    await world.serve(() => Promise.reject(new Error("was called")), { version: 3 });
    expect(await forward(call(), 1)).toEqual({ kind: "silent", reason: "not-understood" });
    expect(world.messages).toEqual(["listening", "request refused"]);
  });
});

describe("a bad client", () => {
  it.each([
    ["sends garbage", bytes("deadbeef deadbeef deadbeef deadbeef"), "malformed"],
    ["announces too much", bytes("484e5352 01000000 01000000 ffffffff"), "too-large"],
    ["speaks version 9", bytes("484e5352 09000000 01000000 00000000"), "version"],
    ["sends an empty call", bytes("484e5352 01000000 01000000 00000000"), "malformed"],
    ["sends an answer", bytes("484e5352 01000000 02000000 00000000"), "malformed"],
  ])("that %s is told so, and others are served", async (_name, content, reason) => {
    await world.serve(echo);
    const client = await world.connect();
    client.send(content);
    const frame = await client.frame;
    expect(frame === undefined ? undefined : decodeRefusal(frame).reason).toBe(reason);
    expect(textOf(await forward())).toBe("ADD");
  });

  it("that sends nothing is refused at the deadline and then cut, while others are served", async () => {
    await world.serve(echo, { limits: { requestMs: 20, lingerMs: 20 } });
    const client = await world.connect();
    expect(textOf(await forward())).toBe("ADD");
    const frame = await client.frame;
    expect(frame === undefined ? undefined : decodeRefusal(frame).reason).toBe("late");
    await client.closed;
  });

  it("that stops in the middle of its request is refused at the deadline", async () => {
    await world.serve(echo, { limits: { requestMs: 20, lingerMs: 20 } });
    const client = await world.connect();
    client.send(encodeCall(call()).subarray(0, 30));
    const frame = await client.frame;
    expect(frame === undefined ? undefined : decodeRefusal(frame).reason).toBe("late");
    await client.closed;
  });

  it("that does not go when it has its answer is cut", async () => {
    await world.serve(echo, { limits: { lingerMs: 20 } });
    const client = await world.connect();
    client.send(encodeCall(call()));
    const frame = await client.frame;
    expect(frame === undefined ? undefined : Buffer.from(decodeAnswer(frame).stdout).toString()).toBe("ADD");
    await client.closed;
  });

  it("that does not read its answer is cut", async () => {
    const server = await world.serve(() => Promise.resolve({ ...answer(""), stdout: new Uint8Array(LIMITS.stdout) }), {
      limits: { lingerMs: 20 },
    });
    const client = await world.connect();
    client.socket.pause();
    client.send(encodeCall(call()));
    // Ends only when no connection is left, and this one does not leave by itself.
    await server.close({ drainMs: 3_000_000 });
  });

  it("that sends on and on behind its request gets its one answer", async () => {
    let calls = 0;
    await world.serve((one) => {
      calls += 1;
      return echo(one);
    });
    const client = await world.connect();
    client.send(encodeCall(call("ONE")));
    client.send(encodeCall(call("TWO")));
    const frame = await client.frame;
    expect(frame === undefined ? undefined : Buffer.from(decodeAnswer(frame).stdout).toString()).toBe("ONE");
    expect(textOf(await forward(call("THREE")))).toBe("THREE");
    expect(calls).toBe(2);
  });

  it("that goes at once leaves nothing behind", async () => {
    const server = await world.serve(echo);
    const clients = await Promise.all(Array.from({ length: 20 }, () => world.connect()));
    for (const client of clients) client.socket.destroy();
    expect(textOf(await forward())).toBe("ADD");
    await server.close({ drainMs: 10_000 });
  });
});

describe("more calls than the server takes", () => {
  it("are told so, and are taken again when one has ended", async () => {
    const gate = makeGate();
    const begun = [makeGate(), makeGate()];
    let count = 0;
    await world.serve(
      async (one) => {
        begun[count++]?.open();
        await gate.promise;
        return echo(one);
      },
      { limits: { connections: 2 } },
    );
    const held = [forward(call("ONE")), forward(call("TWO"))];
    await Promise.all(begun.map(({ promise }) => promise));
    expect(await forward()).toEqual({ kind: "silent", reason: "busy" });
    gate.open();
    expect((await Promise.all(held)).map(textOf)).toEqual(["ONE", "TWO"]);
    await untilAnswered("THREE");
  });

  it("count as long as their work goes on, also when their callers have gone", async () => {
    const [gate, begun, told] = [makeGate(), makeGate(), makeGate()];
    await world.serve(
      async (one, signal) => {
        signal.addEventListener("abort", () => told.open());
        begun.open();
        await gate.promise;
        return echo(one);
      },
      { limits: { connections: 1 } },
    );
    const client = await world.connect();
    client.send(encodeCall(call()));
    await begun.promise;
    client.socket.destroy();
    await told.promise;
    expect(await forward()).toEqual({ kind: "silent", reason: "busy" });
    gate.open();
    await untilAnswered("NEXT");
  });

  it("are cut when even those to be refused are too many", async () => {
    await world.serve(() => new Promise(() => undefined), { limits: { connections: 1, lingerMs: 60_000 } });
    const clients = [await world.connect(), await world.connect()];
    const third = await world.connect();
    await third.closed;
    expect(clients.map(({ socket }) => socket.destroyed)).toEqual([false, false]);
    expect(world.messages).toContain("connection cut: too many");
  });

  /** Asks until the server has seen that a place is free. */
  async function untilAnswered(name: string): Promise<void> {
    for (;;) {
      const outcome = await forward(call(name));
      if (outcome.kind !== "answered") continue;
      expect(textOf(outcome)).toBe(name);
      return;
    }
  }
});

describe("the end of a server", () => {
  it("lets a call under way finish, refuses new ones meanwhile, and leaves no socket", async () => {
    const [gate, begun] = [makeGate(), makeGate()];
    const server = await world.serve(async (one) => {
      begun.open();
      await gate.promise;
      return echo(one);
    });
    const held = forward(call("HELD"));
    await begun.promise;
    const closed = server.close({ drainMs: 60_000 });
    expect(await forward()).toEqual({ kind: "silent", reason: "closing" });
    gate.open();
    expect(textOf(await held)).toBe("HELD");
    await closed;
    expect(await forward()).toEqual({ kind: "nobody-listens" });
    expect(existsSync(world.path)).toBe(false);
  });

  it("cuts a call that does not finish in time", async () => {
    const begun = makeGate();
    const server = await world.serve(() => {
      begun.open();
      return new Promise(() => undefined);
    });
    const held = forward();
    await begun.promise;
    await server.close({ drainMs: 20 });
    expect(await held).toEqual({ kind: "silent", reason: "cut-off" });
  });

  it("comes at once when nobody is connected, when asked twice, and by the signal", async () => {
    const server = await world.serve(echo);
    await Promise.all([server.close({ drainMs: 60_000 }), server.close({ drainMs: 60_000 })]);
    const signals = new AbortController();
    const begun = makeGate();
    const second = world.make(() => {
      begun.open();
      return new Promise(() => undefined);
    });
    await second.start(signals.signal);
    const held = forward();
    await begun.promise;
    signals.abort();
    expect(await held).toEqual({ kind: "silent", reason: "cut-off" });
    await second.close({ drainMs: 0 });
  });

  it("comes before the start when the signal is aborted by then", async () => {
    await expect(world.make(echo).start(AbortSignal.abort())).rejects.toThrow(/abort/);
    expect(existsSync(world.path)).toBe(false);
  });

  it("can be hurried", async () => {
    const begun = makeGate();
    const server: RpcServer = await world.serve(() => {
      begun.open();
      return new Promise(() => undefined);
    });
    const held = forward();
    await begun.promise;
    const slow = server.close({ drainMs: 3_000_000 });
    await server.close({ drainMs: 0 });
    await slow;
    expect(await held).toEqual({ kind: "silent", reason: "cut-off" });
  });
});

describe("the client", () => {
  it("finds nobody where there is no socket", async () => {
    expect(await forward()).toEqual({ kind: "nobody-listens" });
  });

  it("gives up at its deadline", async () => {
    await world.serve(() => new Promise(() => undefined), { limits: { callMs: 60_000 } });
    expect((await forward(call("ADD", { deadlineMs: 20 }))).kind).toBe("silent");
  });

  it("reads the mode of the socket's place: nobody else may enter", async () => {
    await world.serve(echo);
    expect(statSync(world.path).mode & 0o777).toBe(0o600);
  });
});
