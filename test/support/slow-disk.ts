/** Builds preload-slow.c and makes the environment that has it act in a program; the C file says what it does. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compile, compilerReason, LINUX_COMPILER } from "./compile.ts";

export class SlowDisk {
  readonly #library: string;
  readonly #log: string;

  /** Library and log lie in `folder`. */
  constructor(folder: string) {
    this.#library = join(folder, "preload-slow.so");
    this.#log = join(folder, "flushes");
  }

  /** Why the library cannot be built here; undefined when it can. */
  static reason(): string | undefined {
    return process.platform === "linux" ? compilerReason(LINUX_COMPILER) : "LD_PRELOAD is Linux's";
  }

  async build(): Promise<void> {
    const source = join(process.cwd(), "test/support/preload-slow.c");
    await compile(LINUX_COMPILER, ["-shared", "-fPIC", "-o", this.#library, source, "-ldl"]);
  }

  get env(): Readonly<Record<string, string>> {
    return { LD_PRELOAD: this.#library, PRELOAD_SLOW_LOG: this.#log };
  }

  /** How often each process has flushed so far. */
  flushes(): number[] {
    const lines = existsSync(this.#log) ? readFileSync(this.#log, "utf8").trimEnd().split("\n") : [];
    return [...Map.groupBy(lines, (pid) => pid).values()].map(({ length }) => length);
  }
}
