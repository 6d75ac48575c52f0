/**
 * `npm run peers [-- build | capture | JEST ARGUMENTS]`: the tests with programs of other projects, which Go builds. `build` only
 * builds these programs, `capture` writes anew what they send to HNS (test/peers/captures), anything else goes to jest.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { format } from "prettier";
import { EmulatorClient } from "../test/emulator/client.ts";
import { buildPeers, EXIT_NO_MODULES, ModulesError } from "../test/peers/build.ts";
import { captureFile, captureKinds, captureRival } from "../test/peers/captures.ts";
import { Rival, type RivalKind } from "../test/peers/rival.ts";
import { startPeersWine } from "../test/peers/runtime-host.ts";
import type { WineMachine } from "../test/support/wine.ts";
import { packageAll } from "./package.ts";
import { root } from "./package/paths.ts";
import { runVisible } from "./setup/process.mjs";

const suites = "test/system/peers";

async function main(args: readonly string[]): Promise<number> {
  const [command] = args;
  await buildPeers();
  if (command === "build") return 0;
  await packageAll();
  return command === "capture" ? await captureAll() : await runSuites(args);
}

function runSuites(args: readonly string[]): Promise<number> {
  const jest = join(root, "node_modules/jest/bin/jest.js");
  return runVisible(process.execPath, [jest, ...args, "--", suites], { cwd: root });
}

async function captureAll(): Promise<number> {
  const machine = await startPeersWine();
  for (const kind of captureKinds) await capture(kind, machine);
  return 0;
}

async function capture(kind: RivalKind, machine: WineMachine): Promise<void> {
  const emulator = await EmulatorClient.start();
  const rival = new Rival(kind, { machine, emulator });
  const file = captureFile(kind);
  try {
    const text = await format(JSON.stringify(await captureRival(rival)), { parser: "json", printWidth: 140 });
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    process.stdout.write(`${file}\n`);
  } finally {
    rival.close();
    await emulator.close();
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof ModulesError ? EXIT_NO_MODULES : 1;
}
