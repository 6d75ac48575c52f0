import { CliError, type ExitCode } from "../../../src/cli/world.ts";
import type { FakeWorld } from "./fake-world.ts";

/** Does a command's work as the command line does: a failure is told on standard error and gives exit code 1. */
export async function attempt(world: FakeWorld, work: (world: FakeWorld) => ExitCode | Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await work(world);
  } catch (thrown) {
    if (!(thrown instanceof CliError)) throw thrown;
    world.error += `${thrown.message}\n${thrown.next}\n`;
    return 1;
  }
}
