/** The machine that the figures come from, in words that say nothing of whose it is. */
import { spawnSync } from "node:child_process";
import { cpus, release, totalmem, type } from "node:os";
import { findWine } from "../support/wine-prefix.ts";

export interface MachineDescription {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** Absent where it is not installed. */
  readonly wine?: string;
  readonly valgrind?: string;
}

export function describeMachine(): MachineDescription {
  const wine = findWine();
  const wineVersion = wine === undefined ? undefined : readVersion(wine);
  const valgrind = readVersion("valgrind");
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    node: process.version,
    ...(wineVersion !== undefined && { wine: wineVersion }),
    ...(valgrind !== undefined && { valgrind }),
  };
}

function readVersion(program: string): string | undefined {
  const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8", timeout: 20_000 });
  return status === 0 ? stdout.trim().split("\n")[0] : undefined;
}
