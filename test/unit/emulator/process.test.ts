import { execFile } from "node:child_process";
import { connect } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EmulatorClient, findNode } from "../../emulator/client.ts";
import { buildEmulator } from "../../emulator/native/build.ts";
import { decodeControl, encodeControl, FrameReader } from "../../emulator/wire.ts";
import { L2_NETWORK, ZERO } from "./model-kit.ts";

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

// A client process of its own: enumerates networks, then says that it lives.
const CLIENT = `
const koffi = require("koffi");
const library = koffi.load(process.argv[1]);
const enumerate = library.func("int32_t HcnEnumerateNetworks(str16 query, _Out_ void **ids, _Out_ void **error)");
const create = library.func("int32_t HcnCreateNetwork(void *id, str16 settings, _Out_ void **handle, _Out_ void **error)");
create(Buffer.alloc(16), process.argv[2], [null], [null]);
console.log("alive", enumerate("", [null], [null]) >>> 0);
`;

let folder = "";
let emulator: EmulatorClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hns-process-"));
  await buildEmulator({ outDir: folder, platforms: ["linux-x64"] });
  emulator = await EmulatorClient.start();
});

afterAll(async () => {
  await emulator.close();
  await rm(folder, { recursive: true });
});

beforeEach(() => emulator.reset());

const cli = join(process.cwd(), "test/emulator/cli.ts");

function run(args: readonly string[], cwd = process.cwd()): Promise<Ended> {
  const env = { ...process.env, HNS_EMULATOR_ADDRESS: emulator.address };
  return new Promise((resolve) => {
    execFile(findNode(), [...args], { env, cwd }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
    });
  });
}

function runClient(): Promise<Ended> {
  return run(["-e", CLIENT, join(folder, "linux-x64/libcomputenetwork.so"), JSON.stringify(L2_NETWORK)]);
}

function runCli(...args: string[]): Promise<Ended> {
  return run([cli, ...args]);
}

describe("a client process", () => {
  test("leaves the handles it did not close behind, under its own pid", async () => {
    await expect(runClient()).resolves.toMatchObject({ code: 0, stdout: "alive 0\n" });
    const [handle, ...others] = await emulator.handles();
    expect(others).toEqual([]);
    expect(handle).toMatchObject({ kind: "network" });
    expect(handle?.pid).not.toBe(process.pid);
    await emulator.clearHandles();
    expect(await emulator.handles()).toEqual([]);
  });

  test.each([
    ["kill", 0],
    ["kill-after", 1],
  ] as const)("ends with 137 at a %s fault", async (kind, networks) => {
    await emulator.addFault({ call: "HcnCreateNetwork", kind });
    await expect(runClient()).resolves.toMatchObject({ code: 137, stdout: "" });
    expect(await emulator.networks()).toHaveLength(networks);
    expect(await emulator.calls()).toMatchObject([{ name: "HcnCreateNetwork", hresult: null, fault: kind }]);
  });
});

describe("the server", () => {
  test("understands frames that arrive byte by byte, and several at once", async () => {
    const [host = "", port] = emulator.address.split(":");
    const socket = connect({ host, port: Number(port) });
    const reader = new FrameReader();
    const answers: unknown[] = [];
    const done = new Promise<void>((resolve) => {
      socket.on("data", (chunk) => {
        answers.push(...reader.push(chunk).map(decodeControl));
        if (answers.length === 3) resolve();
      });
    });
    for (const byte of encodeControl({ op: "counts" })) socket.write(Buffer.of(byte));
    socket.write(Buffer.concat([encodeControl({ op: "networks" }), encodeControl({ op: "nonsense" })]));
    await done;
    socket.destroy();
    expect(answers).toMatchObject([{ ok: true, value: {} }, { ok: true, value: [] }, { ok: false }]);
    expect(answers[2]).toHaveProperty("error", expect.stringContaining('no control request "nonsense"'));
  });

  test("ends the connection of a client that speaks another protocol", async () => {
    const [host = "", port] = emulator.address.split(":");
    const socket = connect({ host, port: Number(port) });
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => undefined);
    socket.write("GET / HTTP/1.1\r\n\r\n");
    await closed;
    expect(await emulator.status()).toMatchObject({ networks: 0 });
  });

  test("refuses settings and faults it does not know", async () => {
    await expect(emulator.request("set", { settings: { colour: "red" } })).rejects.toThrow('no setting "colour"');
    await expect(emulator.request("set", { settings: { ignoreCallerIds: "yes" } })).rejects.toThrow("wrong type");
    await expect(emulator.addFault({ call: "HcnCreateNetworks", kind: "hang" })).rejects.toThrow('no export "HcnCreateNetworks"');
    await expect(emulator.addFault({ call: "*", kind: "fail" })).rejects.toThrow("hresult");
    await expect(emulator.request("fault-add", { fault: { call: "*", kind: "melt" } })).rejects.toThrow("kind is one of");
  });

  test("changes only the settings that are given, and its identity when told", async () => {
    await emulator.set({ version: { Major: 9, Minor: 2 } }, { bootId: "BOOT", hnsStart: "START" });
    await expect(emulator.hnsCall("GET", "/globals/version")).resolves.toEqual({ Major: 9, Minor: 2 });
    await expect(emulator.status()).resolves.toMatchObject({ bootId: "BOOT", hnsStart: "START", settings: { ignoreCallerIds: false } });
  });

  test("takes a snapshot over the wire and goes back to it", async () => {
    await emulator.createNetwork(L2_NETWORK);
    const snapshot = await emulator.snapshot();
    await emulator.reboot();
    await emulator.createNamespace();
    await emulator.restore(snapshot);
    expect(await emulator.snapshot()).toEqual(snapshot);
  });
});

describe("hns-emulator", () => {
  test("shows tables to people and documents to programs", async () => {
    const network = await emulator.createNetwork(L2_NETWORK, "ABCDEF00-1111-2222-3333-444444444444");
    const table = await runCli("networks");
    expect(table.stdout).toBe(
      "ID                                    NAME  TYPE      ADAPTER   SUBNETS\n" +
        "ABCDEF00-1111-2222-3333-444444444444  l2    L2Bridge  Ethernet  10.244.3.0/24\n",
    );
    const json = await runCli("networks", "-o", "json");
    expect(JSON.parse(json.stdout)).toMatchObject([{ document: network }]);
    expect((await runCli("endpoints")).stdout).toBe("none\n");
  });

  test("scripts faults", async () => {
    await expect(runCli("fault", "HcnCreateEndpoint", "fail", "--hresult", "0x803b002f", "--nth", "2")).resolves.toMatchObject({ code: 0 });
    expect(await emulator.faults()).toMatchObject([{ call: "HcnCreateEndpoint", kind: "fail", hresult: 0x803b002f, nth: 2 }]);
    await runCli("clear-faults");
    expect(await emulator.faults()).toEqual([]);
  });

  test("runs in the background from any folder, as the Windows it is told", async () => {
    const started = await run([cli, "start", "--port", "0", "--version-preset", "2019", "-o", "json"], folder);
    expect(started).toMatchObject({ code: 0, stderr: "" });
    const { address } = JSON.parse(started.stdout) as { address: string };
    const status = await runCli("status", "-o", "json", "--address", address);
    expect(JSON.parse(status.stdout)).toMatchObject({ settings: { version: { Major: 9, Minor: 5 } } });
    const second = await runCli("start", "--port", address.split(":")[1] ?? "");
    expect(second).toMatchObject({ code: 1, stdout: "" });
    expect(second.stderr).toMatch(/^hns-emulator: listen EADDRINUSE.*choose another with --port\n$/);
    await expect(runCli("stop", "--address", address)).resolves.toMatchObject({ code: 0 });
    const stopped = await runCli("status", "--address", address);
    expect(stopped.code).toBe(1);
    expect(stopped.stderr).toContain('start one with "hns-emulator start"');
  });

  test("keeps a world in a file", async () => {
    const file = join(folder, "world.json");
    await emulator.createNetwork(L2_NETWORK);
    await expect(runCli("snapshot", file)).resolves.toMatchObject({ code: 0 });
    await runCli("reset");
    expect(await emulator.networks()).toEqual([]);
    await expect(runCli("restore", file)).resolves.toMatchObject({ code: 0 });
    expect(await emulator.networks()).toMatchObject([{ name: "l2" }]);
    await expect(runCli("restore", join(process.cwd(), "package.json"))).resolves.toMatchObject({ code: 1 });
    await expect(runCli("restore", join(folder, "nothing.json"))).resolves.toMatchObject({ code: 1 });
    await expect(runCli("restore")).resolves.toMatchObject({ code: 2 });
  });

  test("sets latencies and a budget", async () => {
    await runCli("latency", "HcnOpenNetwork", "uniform", "1", "5", "--seed", "3");
    expect(await emulator.latencies()).toEqual([{ call: "HcnOpenNetwork", distribution: "uniform", min: 1, max: 5, seed: 3 }]);
    expect((await runCli("latencies")).stdout).toContain("uniform");
    await runCli("clear-latencies");
    await runCli("budget", "0", "--hresult", "0x803b0015");
    await expect(runClient()).resolves.toMatchObject({ stdout: "alive 2151350293\n" });
    expect(await emulator.budget()).toMatchObject({ used: 2, over: ["HcnCreateNetwork", "HcnEnumerateNetworks"] });
    await runCli("clear-budget");
    expect(await emulator.budget()).toBeNull();
    await expect(runCli("latency", "*", "gaussian", "1")).resolves.toMatchObject({ code: 2 });
    await expect(runCli("latency", "*", "uniform", "5", "1")).resolves.toMatchObject({ code: 1 });
    await expect(runCli("budget", "many")).resolves.toMatchObject({ code: 2 });
  });

  test("tells wrong usage (2) from failure (1)", async () => {
    const unknown = await runCli("dance");
    expect(unknown).toMatchObject({ code: 2, stdout: "" });
    expect(unknown.stderr).toContain('no command "dance"');
    for (const words of [
      ["status", "--wrong"],
      ["status", "more"],
      ["networks", "-o", "xml"],
      [],
      ["set", "{"],
      ["start", "--version-preset", "95"],
    ])
      await expect(runCli(...words)).resolves.toMatchObject({ code: 2, stdout: "" });
    const refused = await runCli("fault", "*", "melt");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("kind is one of");
    await expect(runCli("status", "--address", "127.0.0.1:1")).resolves.toMatchObject({ code: 1 });
  });

  test("stops an emulator", async () => {
    const other = await EmulatorClient.start();
    await expect(runCli("stop", "--address", other.address)).resolves.toMatchObject({ code: 0 });
    await expect(EmulatorClient.connect(other.address)).rejects.toThrow();
    await other.close();
  });
});

test("ids of a foreigner's objects come back in upper case", async () => {
  await emulator.createNamespace("abcdef00-1111-2222-3333-444444444444");
  expect((await emulator.namespaces()).map(({ id }) => id)).toEqual(["ABCDEF00-1111-2222-3333-444444444444"]);
  expect(await emulator.createNamespace(ZERO)).not.toBe(ZERO);
});
