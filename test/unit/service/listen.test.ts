import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PluginError } from "../../../src/core/base/errors.ts";
import { forwardCall } from "../../../src/service/rpc/client.ts";
import type { RpcServer } from "../../../src/service/rpc/server.ts";
import { answer, call, RpcWorld } from "../../support/rpc-world.ts";

let world: RpcWorld;

beforeEach(() => {
  world = new RpcWorld();
});

afterEach(() => world.close());

function make(path = world.path): RpcServer {
  return world.make(() => Promise.resolve(answer("here")), { path });
}

async function isServed(path = world.path): Promise<boolean> {
  return (await forwardCall(call(), { path })).kind === "answered";
}

/** Leaves the socket of a process that ended without cleaning up. */
function leaveStale(path: string): void {
  const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script]);
  expect(statSync(path).isSocket()).toBe(true);
}

describe("the place where the server listens", () => {
  it("is a socket of mode 0600 in a folder of mode 0700, which is made", async () => {
    const path = join(world.folder, "new/deep/agent.sock");
    await make(path).start();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(await isServed(path)).toBe(true);
  });

  it("is refused when others may enter its folder, which stays as it is", async () => {
    const folder = join(world.folder, "open");
    mkdirSync(folder);
    chmodSync(folder, 0o755);
    const start = make(join(folder, "agent.sock")).start();
    await expect(start).rejects.toBeInstanceOf(PluginError);
    await expect(start).rejects.toThrow(/is no folder of this user alone/);
    expect(statSync(folder).mode & 0o777).toBe(0o755);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is taken from a server that died", async () => {
    leaveStale(world.path);
    await make().start();
    expect(await isServed()).toBe(true);
    expect(readdirSync(world.folder)).toEqual(["agent.sock"]);
  });

  it("is never taken from a server that lives, which goes on", async () => {
    await make().start();
    await expect(make().start()).rejects.toThrow(/another server answers at/);
    expect(await isServed()).toBe(true);
    expect(readdirSync(world.folder)).toEqual(["agent.sock"]);
  });

  it("is given to one of two that start at once, also over a socket left behind", async () => {
    leaveStale(world.path);
    const starts = await Promise.allSettled([make().start(), make().start()]);
    expect(starts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await isServed()).toBe(true);
  });

  it("is no file of somebody else's", async () => {
    writeFileSync(world.path, "mine");
    await expect(make().start()).rejects.toThrow(/is no socket/);
    expect(existsSync(world.path)).toBe(true);
  });
});
