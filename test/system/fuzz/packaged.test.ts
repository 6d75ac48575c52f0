/** The packaged program, several at a time, with environment and stdin that no runtime would give it. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { EmulatorClient } from "../../emulator/client.ts";
import { packagedReason } from "../../support/packaged.ts";
import { emulatorLibrary, linuxProgram } from "../../support/paths.ts";
import { describeUnless } from "../../support/skip.ts";
import { type FuzzCall, makeCall } from "./calls.ts";
import { reportProblems } from "./failure.ts";
import { fuzzSeed, Random } from "./random.ts";
import { findStateProblems } from "./state-problems.ts";
import { type Answer, findProblems } from "./verdict.ts";

const CALLS = 500;
const AT_ONCE = 4;
const PODS = 8;
/** No fault is injected, so nothing may come near the plugin's own limits. */
const LIMIT_MS = 30_000;

const seed = fuzzSeed();

describeUnless(packagedReason(), `the packaged program with mutated input (HNS_CNI_FUZZ_SEED=${seed})`, () => {
  let emulator: EmulatorClient;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "hns-cni-fuzz-"));
    emulator = await EmulatorClient.start();
  });

  afterAll(async () => {
    await emulator.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it(`gives one valid answer each, and leaves a sound state: ${CALLS} calls, ${AT_ONCE} at a time`, async () => {
    const namespaces = await Promise.all(Array.from({ length: PODS }, () => emulator.createNamespace()));
    const random = new Random(seed);
    const calls = Array.from({ length: CALLS }, () => withStateDir(makeCall(random, { namespaces, results: new Map() }), folder));
    const waiting = [...calls];
    let succeeded = 0;
    const found: { call: FuzzCall; problems: string[] }[] = [];
    const work = async (): Promise<void> => {
      for (let call = waiting.shift(); call !== undefined && found.length === 0; call = waiting.shift()) {
        const answer = await runProgram(call, emulator.address);
        if (answer.exitCode === 0) succeeded++;
        const problems = findProblems(call, answer);
        if (problems.length > 0) found.push({ call, problems });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    const started = calls.slice(0, CALLS - waiting.length);
    for (const { call, problems } of found) reportProblems(problems, { name: "packaged", seed, calls: [...started, call] });
    reportProblems(await findNodeProblems(), { name: "packaged", seed, calls });
    // Calls that all fail at the first check would prove nothing.
    expect(succeeded).toBeGreaterThan(CALLS / 10);
  }, 300_000);

  async function findNodeProblems(): Promise<string[]> {
    const database = new DatabaseSync(join(folder, "state.db"));
    try {
      const endpoints = await emulator.endpoints();
      const bare = endpoints.map((one) => ({ ...one, addresses: one.addresses.map((address) => address.split("/")[0] ?? "") }));
      return findStateProblems((sql) => database.prepare(sql).all(), bare);
    } finally {
      database.close();
    }
  }
});

/** Sets the state folder of this test where the call has a readable configuration; a call without one never reaches the state. */
function withStateDir(call: FuzzCall, stateDir: string): FuzzCall {
  const text = Buffer.from(call.stdin).toString("latin1"); // a character a byte, so that broken UTF-8 stays as it is
  const at = text.lastIndexOf("}");
  const fields = `"stateDir":${JSON.stringify(stateDir)},"logFile":${JSON.stringify(join(stateDir, "hns-cni.log"))}`;
  const isEmpty = /^\s*\{\s*\}?\s*$/.test(text);
  // As the last keys they win over whatever the mutation made of them.
  return at < 0 ? call : { ...call, stdin: Buffer.from(`${text.slice(0, at)}${isEmpty ? "" : ","}${fields}${text.slice(at)}`, "latin1") };
}

function runProgram({ env, stdin }: FuzzCall, address: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn(linuxProgram, [], {
      env: { ...env, CNI_X: "1", HNS_CNI_HCN_LIBRARY: emulatorLibrary, HNS_EMULATOR_ADDRESS: address },
      stdio: "pipe",
      timeout: LIMIT_MS,
      killSignal: "SIGKILL",
    });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) child[name].setEncoding("utf8").on("data", (text: string) => (output[name] += text));
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ stdout: output.stdout === "" ? [] : [output.stdout], stderr: output.stderr, exitCode }));
    child.stdin.on("error", () => undefined); // it may end without reading
    child.stdin.end(stdin);
  });
}
