/**
 * The code cache of the CNI program: what V8 makes of the functions that a call needs. It is recorded after they have run, so a
 * program that starts with it neither reads nor compiles them again. For Linux alone: the Windows V8 would refuse it.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheFile } from "./bundles.ts";
import { paths, root } from "./paths.ts";
import { programFlags } from "./sea.ts";

const run = promisify(execFile);

const emulatorLibrary = join(paths.emulator, "linux-x64/libcomputenetwork.so");

/** One CNI call of the recording. */
export interface RecordedCall {
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
}

/** What the recording process is told. */
export interface Recording {
  readonly script: string;
  /** Where the cache goes; without it the calls are only made. */
  readonly output?: string;
  /** What the program takes for its own executable: koffi.node lies beside it. */
  readonly program: string;
  readonly calls: readonly RecordedCall[];
}

/** Without the emulator there is nothing that could answer the calls; the program then starts a little slower. */
export function canRecord(): boolean {
  return existsSync(emulatorLibrary);
}

/** Writes the cache of build/cni.cjs, or removes an old one. A program without it only starts slower, so a failure is told and no more. */
export async function makeCodeCache(): Promise<void> {
  rmSync(cacheFile, { force: true });
  if (!canRecord()) return;
  try {
    await record();
  } catch (error) {
    process.stderr.write(`the program gets no code cache and starts slower: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}

/** Throws when a call of the recording fails. */
async function record(): Promise<void> {
  const { EmulatorClient } = await import("../../test/emulator/client.ts");
  const emulator = await EmulatorClient.start();
  const stateDir = mkdtempSync(join(tmpdir(), "hns-cni-recording-"));
  try {
    const namespaces = [await emulator.createNamespace(), await emulator.createNamespace()];
    const [first, ...others] = buildCalls(namespaces, { stateDir, address: emulator.address });
    if (first === undefined) throw new Error("there is no call to record");
    await perform(stateDir, [first]);
    await perform(stateDir, others, cacheFile);
  } finally {
    await emulator.close();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

/** Makes the calls in a process of their own. */
async function perform(folder: string, calls: readonly RecordedCall[], output?: string): Promise<void> {
  const script = join(paths.build, "cni.cjs");
  const recording: Recording = { script, program: join(paths.linux, "hns-cni"), calls, ...(output !== undefined && { output }) };
  const order = join(folder, "recording.json");
  writeFileSync(order, JSON.stringify(recording));
  await run(process.execPath, [...programFlags, join(root, "scripts/package/record-code-cache.ts"), order], { timeout: 60_000 });
}

/**
 * ADD of two pods and DEL of the second. The first makes the network, which a node sees once, and is not recorded: every call reads the
 * whole cache, so what one of them alone needs slows the others down.
 */
function buildCalls(namespaces: readonly string[], place: { stateDir: string; address: string }): RecordedCall[] {
  const common = {
    CNI_PATH: "/opt/cni/bin",
    CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0",
    HNS_CNI_HCN_LIBRARY: emulatorLibrary,
    HNS_EMULATOR_ADDRESS: place.address,
  };
  const calls = namespaces.map((netns, index) => {
    const pod = { CNI_COMMAND: "ADD", CNI_CONTAINERID: `pod-${index}`, CNI_NETNS: netns, CNI_IFNAME: "eth0" };
    return { env: { ...common, ...pod }, stdin: JSON.stringify(buildConfig(place.stateDir, 8080 + index)) };
  });
  return [...calls, ...calls.slice(-1).map(({ env, stdin }) => ({ env: { ...env, CNI_COMMAND: "DEL" }, stdin }))];
}

function buildConfig(stateDir: string, hostPort: number): object {
  return {
    cniVersion: "1.1.0",
    name: "pods",
    type: "hns-cni",
    mode: "l2bridge",
    clusterCidrs: ["10.244.0.0/16"],
    serviceCidrs: ["10.96.0.0/12"],
    dns: { nameservers: ["10.96.0.10"], search: ["svc.cluster.local"] },
    ipam: { type: "hns-cni", cidr: "10.244.3.0/24" },
    capabilities: { portMappings: true, dns: true },
    runtimeConfig: { portMappings: [{ hostPort, containerPort: 80, protocol: "tcp" }], dns: { servers: ["10.96.0.10"] } },
    stateDir,
  };
}
