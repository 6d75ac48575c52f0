/** What the reference plugins send to HNS for one pod, kept as files: the documents that our own must be measured against. */
import { join } from "node:path";
import type { CallRecord } from "../emulator/model/call-log.ts";
import type { Rival, RivalKind } from "./rival.ts";

const ZERO_ID = "00000000-0000-0000-0000-000000000000";
const guid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;

export interface CapturedCall {
  readonly call: string;
  /** Documents as objects; ids, handles and the container's id as words in braces. */
  readonly arguments: readonly unknown[];
}

export interface Capture {
  readonly ADD: readonly CapturedCall[];
  readonly DEL: readonly CapturedCall[];
}

export const captureKinds: readonly RivalKind[] = [
  { name: "win-bridge", apiVersion: 2 },
  { name: "win-overlay", apiVersion: 2 },
  { name: "win-bridge", apiVersion: 1 },
  { name: "win-overlay", apiVersion: 1 },
];

export function captureFile({ name, apiVersion }: RivalKind): string {
  return join(process.cwd(), `test/peers/captures/${name}-v${apiVersion}.json`);
}

/** Lets the plugin attach and detach one pod. Throws when it does not succeed. */
export async function captureRival(rival: Rival): Promise<Capture> {
  const network = await rival.makeNetwork();
  const pod = await rival.makePod();
  const names = new Map([
    [network, "{network}"],
    [pod.containerId, "{container}"],
  ]);
  if (rival.kind.apiVersion === 2) names.set(pod.netns, "{namespace}");
  const record = async (command: "ADD" | "DEL"): Promise<CapturedCall[]> => {
    const { code, output } = await rival.run(command, pod);
    if (code !== 0) throw new Error(`${rival.kind.name} ${command} ended with ${code}: ${JSON.stringify(output)}`);
    return (await rival.emulator.calls()).map((call) => simplify(call, names));
  };
  return { ADD: await record("ADD"), DEL: await record("DEL") };
}

function simplify({ name, args }: CallRecord, names: ReadonlyMap<string, string>): CapturedCall {
  return { call: name, arguments: args.map((argument) => (argument === null ? null : readArgument(argument, names))) };
}

function readArgument(argument: string, names: ReadonlyMap<string, string>): unknown {
  // Handles travel in decimal.
  if (/^\d+$/.test(argument)) return "{handle}";
  const known = [...names].reduce((text, [id, word]) => text.replaceAll(id, word), argument);
  const text = known.replaceAll(guid, (id) => (id === ZERO_ID ? id : "{endpoint}"));
  return /^\{["}]/.test(text) ? JSON.parse(text) : text;
}
