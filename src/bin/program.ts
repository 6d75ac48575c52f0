import { runAdmin } from "./cli.ts";
import { runCni } from "./cni.ts";

/** Any CNI_* variable means that a runtime calls; a missing command is then its error, told in its protocol. */
export function runProgram(): Promise<void> {
  return Object.keys(process.env).some((name) => /^CNI_/i.test(name)) ? runCni() : runAdmin();
}
