import { closeSync, existsSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PluginError } from "../../core/base/errors.ts";
import type { Logger } from "../../core/base/log.ts";
import type { AgentConfig } from "./config.ts";

/** What containerd reads of its folder; the first in alphabetical order is the one it uses. */
const READ_BY_RUNTIME = /\.(conf|conflist|json)$/;

/** The CNI configuration as the runtime sees it: there once the agent is ready, whole from the first moment. */
export class ConfFile {
  readonly #config: AgentConfig["cniConf"];
  readonly #folder: string;
  readonly #log: Logger;

  constructor(config: AgentConfig["cniConf"], defaultFolder: string, log: Logger) {
    this.#config = config;
    this.#folder = config.folder ?? defaultFolder;
    this.#log = log;
  }

  get path(): string {
    return join(this.#folder, this.#config.name);
  }

  /** Puts the file there, unless it says the same already. Throws IO_FAILURE or INVALID_CONFIG; the file there then stays as it was. */
  publish(): void {
    const { source } = this.#config;
    if (source === undefined) return;
    const text = readSource(source);
    this.#reportOthers();
    if (readIfThere(this.path) === text) return;
    try {
      this.#replace(text);
    } catch (thrown) {
      throw failure(`cannot write ${this.path}`, "check that the folder exists and who may write there", thrown);
    }
    this.#log.info("cni configuration published", { path: this.path });
  }

  /** Takes the file away where that is configured. Throws IO_FAILURE. */
  withdraw(): void {
    const { source, removeOnStop } = this.#config;
    if (source === undefined || !removeOnStop) return;
    try {
      rmSync(this.path, { force: true });
    } catch (thrown) {
      throw failure(`cannot remove ${this.path}`, "remove it by hand", thrown);
    }
    this.#log.info("cni configuration withdrawn", { path: this.path });
  }

  /** The runtime takes the file that sorts first: one of somebody else's before ours means that we are never called. */
  #reportOthers(): void {
    if (!existsSync(this.#folder)) return;
    const first = readdirSync(this.#folder).filter((name) => READ_BY_RUNTIME.test(name) && name < this.#config.name);
    if (first.length > 0) this.#log.error("another cni configuration comes first", { folder: this.#folder, files: first.sort() });
  }

  #replace(text: string): void {
    const draft = `${this.path}.${process.pid}.tmp`; // a name that the runtime does not read
    try {
      const descriptor = openSync(draft, "w", 0o644);
      try {
        writeFileSync(descriptor, text);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      renameSync(draft, this.path);
    } finally {
      rmSync(draft, { force: true });
    }
  }
}

function readSource(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (thrown) {
    throw failure(`cannot read ${path} (cniConf.source)`, "correct the path, or leave it out", thrown);
  }
  try {
    JSON.parse(text);
    return text;
  } catch (thrown) {
    throw new PluginError("INVALID_CONFIG", { message: `${path} (cniConf.source) is no JSON`, remedy: "correct it" }, { cause: thrown });
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function failure(message: string, remedy: string, cause: unknown): PluginError {
  return new PluginError("IO_FAILURE", { message, remedy }, { cause, retryable: true });
}
