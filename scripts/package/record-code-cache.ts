/**
 * Runs the CNI program's script for each call of a recording, in one process and without leaving it, then writes V8's code cache.
 * Started by code-cache.ts with the flags of the program, since a cache fits only the flags it was made under.
 */
import fs from "node:fs";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";
import type { RecordedCall, Recording } from "./code-cache.ts";

type Run = (require: (id: string) => unknown, module: { exports: unknown }, filename: string) => void;

// Written by code-cache.ts.
const recording = JSON.parse(fs.readFileSync(process.argv[2] ?? "", "utf8")) as Recording;
// V8 forgets the code of functions that have not run for a while. Set back before the cache is made, which carries a hash of all flags.
setFlagsFromString("--no-flush-bytecode");
process.execPath = recording.program;
const script = new Script(fs.readFileSync(recording.script, "latin1"), { filename: "cni.cjs" });
// The build wraps the script into a function of these parameters, and src/bin/program.ts is what it exports.
const run = script.runInThisContext() as Run;

for (const call of recording.calls) await perform(call);
setFlagsFromString("--flush-bytecode");
if (recording.output !== undefined) fs.writeFileSync(recording.output, script.createCachedData());
process.exitCode = 0;

async function perform({ env, stdin }: RecordedCall): Promise<void> {
  for (const name of Object.keys(process.env)) if (name.startsWith("CNI_")) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, env);
  let output = "";
  const streams = {
    ...fs,
    readFileSync: (path: string | number, ...rest: unknown[]): unknown =>
      path === 0 ? stdin : Reflect.apply(fs.readFileSync, fs, [path, ...rest]),
    writeSync: (descriptor: number, data: Buffer, ...rest: unknown[]): unknown => {
      if (descriptor !== 1) return Reflect.apply(fs.writeSync, fs, [descriptor, data, ...rest]);
      output += data.toString("utf8");
      return data.length;
    },
  };
  const module = { exports: {} };
  run((id) => (id === "node:fs" ? streams : process.getBuiltinModule(id)), module, recording.program);
  await (module.exports as { runProgram: () => Promise<unknown> }).runProgram();
  if (process.exitCode !== 0) throw new Error(`${env["CNI_COMMAND"] ?? ""} failed while the code cache was recorded: ${output}`);
}
