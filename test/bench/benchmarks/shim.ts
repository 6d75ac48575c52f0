import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linuxShim, shimReason } from "../../../scripts/package/shim.ts";
import { RpcServer } from "../../../src/service/rpc/server.ts";
import { packagedReason } from "../../support/packaged.ts";
import type { Benchmark, Contestant, Prepared } from "../benchmark.ts";
import { buildEmptyC, EMPTY_C } from "../empties.ts";
import { linuxProgram } from "../paths.ts";
import { countInstructions, timeProcess, type ProcessRun, valgrindReason } from "../process.ts";

const SHIM = "shim, agent answers";
/** Counted in time alone: valgrind ends where one program takes the place of another. */
const FALLBACK = "shim, nobody listens";
const INPUT = JSON.stringify({ cniVersion: "1.1.0", name: "pods", type: "hns-cni" });
const SILENT_LOG = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

export const shim: Benchmark = {
  name: "shim",
  summary: "a call through the shim, beside an empty C program and the main program",
  notes: [
    "Time from the start of the process to the end of its output. The agent is a server in the benchmark's own process whose handler answers at once.",
    "The empty program is built as the shim is, so the difference is the connection, the frames and the answer. The main program answers VERSION by itself.",
  ],
  rounds: 30,
  prepare: prepareShim,
};

async function prepareShim(): Promise<Prepared> {
  const reason = shimReason(linuxShim) ?? packagedReason();
  if (reason !== undefined) throw new Error(reason);
  const folder = mkdtempSync(join(tmpdir(), "hns-cni-bench-shim-"));
  const socket = join(folder, "agent/agent.sock");
  const server = new RpcServer({ path: socket, handler: answer }, { log: SILENT_LOG });
  await server.start();
  const empty = await buildEmptyC(linuxShim, folder);
  const env = { CNI_COMMAND: "VERSION", CNI_PATH: "/opt/cni/bin" };
  const program = join(process.cwd(), linuxShim.file);
  const runs: readonly (readonly [string, ProcessRun])[] = [
    [EMPTY_C, { program: empty }],
    [SHIM, { program, env: { ...env, HNS_CNI_SOCKET: socket }, stdin: INPUT }],
    ["main program, VERSION", { program: linuxProgram, env, stdin: INPUT }],
    ["shim, nobody listens", { program, env: { ...env, HNS_CNI_SOCKET: join(folder, "none"), HNS_CNI_MAIN: linuxProgram }, stdin: INPUT }],
  ];
  const contestants = (measure: typeof timeProcess): Contestant[] =>
    runs.map(([name, one]) => ({
      name,
      measure: () => measure(() => Promise.resolve(one)),
      ...(name === EMPTY_C ? {} : { rival: EMPTY_C }),
    }));
  const noValgrind = valgrindReason();
  const counted = { title: "Shim, instructions", unit: "M instructions", rounds: 3, warmUp: 0 } as const;
  return {
    series: [
      ...(noValgrind === undefined
        ? [{ ...counted, contestants: contestants(countInstructions).filter(({ name }) => name !== FALLBACK) }]
        : []),
      { title: "Shim, wall clock", unit: "ms", warmUp: 5, contestants: contestants(timeProcess) },
    ],
    omissions: noValgrind === undefined ? [] : [{ what: "instructions", reason: noValgrind }],
    close: async () => {
      await server.close({ drainMs: 0 });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answer(): Promise<{ code: number; stdout: Uint8Array; stderr: Uint8Array }> {
  const stdout = Buffer.from(JSON.stringify({ cniVersion: "1.1.0", supportedVersions: ["1.1.0"] }));
  return Promise.resolve({ code: 0, stdout, stderr: new Uint8Array() });
}
