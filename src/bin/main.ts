import { readFileSync } from "node:fs";
import { readVariable } from "../core/cni/environment.ts";
import { answerVersion } from "../core/cni/version-call.ts";
import { loadAsset } from "./assets.ts";
import { tryWriteAll } from "./output.ts";
import type { runProgram } from "./program.ts";

/** The executable's main script: it answers VERSION itself and leaves all else to the program, which it loads for it. */
if (readVariable(process.env, "CNI_COMMAND") === "VERSION") {
  const answer = answerVersion(() => readFileSync(0, "utf8"));
  process.exitCode = tryWriteAll(1, JSON.stringify(answer)) ? 0 : 1;
} else {
  // What this build's src/bin/program.ts exports.
  const program = loadAsset("cni") as { runProgram: typeof runProgram };
  // Left at once after a call: an ordinary end would first take all apart that the system frees anyway.
  void program.runProgram().then((isOver) => {
    if (isOver) process.exit();
  });
}
