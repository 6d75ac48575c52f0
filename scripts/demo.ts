/**
 * `npm run demo`: two pods get a network and lose it again. Everything is what runs on a Windows node, but for two stand-ins: the
 * program is built for Linux, and the library that it calls leads to the HNS emulator. No real HNS is ever touched.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EmulatorClient } from "../test/emulator/client.ts";
import { packagedReason } from "../test/support/packaged.ts";
import { readConfList } from "./demo/conf-list.ts";
import { addressesOf, callPlugin, makePod, type Command, type Pod, type Stage } from "./demo/pod.ts";
import { heading, say, showObjects } from "./demo/show.ts";
import { root } from "./package/paths.ts";
import { packageAll } from "./package.ts";

/** What did not go as it must; each a sentence. */
type Faults = string[];

async function main(): Promise<number> {
  heading("build");
  await packageAll();
  const reason = packagedReason();
  if (reason !== undefined) throw new Error(reason);
  const list = readConfList(join(root, "README.md"));
  const plugin = list.plugins.find(({ type }) => type === "hns-cni");
  if (plugin === undefined) throw new Error("the README's configuration list does not name hns-cni");

  const stateDir = mkdtempSync(join(tmpdir(), "hns-cni-demo-"));
  const emulator = await EmulatorClient.start();
  try {
    const faults = await attachAndDetach({ emulator, list, plugin: { ...plugin, stateDir } });
    return showVerdict(faults);
  } finally {
    await emulator.close();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

async function attachAndDetach(stage: Stage): Promise<Faults> {
  heading("a node before its first pod");
  say(`The configuration is the README's list "${stage.list.name}"; only stateDir is set to a temporary folder.`);
  say("The container runtime has made a namespace for each of two pods.");
  const pods = [await makePod(stage, "web-0", 8080), await makePod(stage, "web-1", 8081)];
  await showObjects(stage.emulator);

  const faults: Faults = [];
  for (const command of ["ADD", "CHECK", "DEL"] as const) {
    for (const pod of pods) await runStep(stage, pod, command, faults);
    if (command === "ADD" && new Set(pods.flatMap(addressesOf)).size !== pods.length) faults.push("the pods do not have one address each");
  }
  return faults;
}

async function runStep(stage: Stage, pod: Pod, command: Command, faults: Faults): Promise<void> {
  heading(`${command} ${pod.name}`);
  const { code, stdout } = await callPlugin(stage, pod, command);
  if (command === "ADD") say(`\npod ${pod.name} has ${addressesOf(pod).join(", ") || "no address"}`);
  const found = [
    ...(code === 0 ? [] : [`exit code ${code ?? "none"}`]),
    ...(command === "ADD" || stdout === "" ? [] : ["something was printed"]),
    ...(command === "DEL" ? await findLeftovers(stage, pod) : await findDifferences(stage, pod)),
  ];
  faults.push(...found.map((fault) => `${command} ${pod.name}: ${fault}`));
}

/** What HNS holds is the measure, not what the program says. */
async function findDifferences(stage: Stage, pod: Pod): Promise<Faults> {
  const attached = (await stage.emulator.endpoints()).filter(({ namespace }) => namespace === pod.namespace);
  const [endpoint] = attached;
  if (endpoint === undefined || attached.length > 1) return [`HNS has ${attached.length} endpoints in the namespace, not one`];
  pod.endpoint = endpoint.id;
  const held = endpoint.addresses.map(withoutPrefix).join(", ");
  const told = addressesOf(pod).map(withoutPrefix).join(", ");
  return held === told ? [] : [`HNS gave the endpoint ${held || "no address"}, the result says ${told || "none"}`];
}

async function findLeftovers(stage: Stage, pod: Pod): Promise<Faults> {
  const endpoints = await stage.emulator.endpoints();
  const isLeft = endpoints.some(({ id, namespace }) => id === pod.endpoint || namespace === pod.namespace);
  return isLeft ? ["its endpoint is still there"] : [];
}

function withoutPrefix(address: string): string {
  return address.replace(/\/\d+$/, "");
}

function showVerdict(faults: Faults): number {
  heading("verdict");
  if (faults.length === 0) {
    say("PASS: both pods were attached, checked and detached; HNS agrees with every result, and nothing of the pods is left.");
    return 0;
  }
  for (const fault of faults) say(`  ${fault}`);
  say(`FAIL: ${faults.length} things did not go as they must`);
  return 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`the demonstration could not run: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
