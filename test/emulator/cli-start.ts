import { spawn, type ChildProcess } from "node:child_process";
import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { findNode } from "./client.ts";
import { UsageError } from "./cli-words.ts";
import { VERSION_PRESETS } from "./model/features.ts";

export interface StartOptions {
  readonly port: string | undefined;
  readonly versionPreset: string | undefined;
  /** Stay until the emulator ends. */
  readonly foreground: boolean;
}

/** Starts the emulator beside this script; gives its address and process id, or waits for its end in the foreground. */
export async function startEmulator({ port, versionPreset, foreground }: StartOptions): Promise<unknown> {
  if (versionPreset !== undefined && VERSION_PRESETS[versionPreset] === undefined)
    throw new UsageError(`--version-preset is one of ${Object.keys(VERSION_PRESETS).join(", ")}`);
  const args = [
    join(dirname(realpathSync(process.argv[1] ?? ".")), "main.ts"),
    ...(port === undefined ? [] : ["--port", port]),
    ...(versionPreset === undefined ? [] : ["--version-preset", versionPreset]),
  ];
  if (!foreground) return await runInBackground(args);
  await runInForeground(args);
  return undefined;
}

async function runInForeground(args: readonly string[]): Promise<void> {
  const child = spawn(findNode(), args, { stdio: "inherit" });
  const code = await new Promise<number>((resolve) => child.once("exit", (value) => resolve(value ?? 1)));
  if (code !== 0) throw new Error(`the emulator ended with ${code}`);
}

async function runInBackground(args: readonly string[]): Promise<unknown> {
  const child = spawn(findNode(), args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  try {
    return await readFirstLine(child);
  } finally {
    // The emulator lives on by itself; it writes nothing after its first line.
    child.stdout.destroy();
    child.stderr.destroy();
    child.unref();
  }
}

function readFirstLine(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let text = "";
    let complaint = "";
    child.stderr?.on("data", (chunk: Buffer) => (complaint += chunk.toString("utf8")));
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
      if (text.includes("\n")) resolve(JSON.parse(text.slice(0, text.indexOf("\n"))));
    });
    child.once("error", reject);
    child.once("close", (code) => {
      const reason = complaint.replace(/^hns-emulator: /, "").trim();
      reject(new Error(reason === "" ? `the emulator ended with ${code}` : reason));
    });
  });
}
