import { type Clock, type Deadline, remaining } from "../base/async.ts";
import { PluginError } from "../base/errors.ts";
import { findField, isJsonObject, type JsonObject } from "../cni/json.ts";
import { parseAnyResult } from "../cni/result-parsing.ts";
import type { CniResult } from "../cni/result.ts";
import { findVersion, UNSTATED_VERSION } from "../cni/version.ts";
import type { AttachmentKey } from "./attachment.ts";

export type DelegateCommand = "ADD" | "DEL" | "CHECK" | "GC" | "STATUS";

/** How another program ended. */
export interface DelegateOutput {
  readonly exitCode: number;
  readonly stdout: string;
}

/** The program that `ipam.type` names. It gets this call's configuration unchanged, and its environment with another CNI_COMMAND. */
export interface DelegateProgram {
  /** As the configuration names it. */
  readonly type: string;
  /**
   * Runs it to its end. `variables` are put over the environment.
   * Throws IO_FAILURE when it cannot be started, OPERATION_TIMEOUT when it was ended after `timeoutMs`.
   */
  run(command: DelegateCommand, options: { timeoutMs: number; variables: Readonly<Record<string, string>> }): Promise<DelegateOutput>;
}

/** An attachment that is not the one of this call. */
export type OtherAttachment = AttachmentKey & { readonly netns: string };

/** Codes whose meaning the specification gives; 3 would tell the runtime that no DEL is needed. */
const SHARED_CODES = [1, 2, 4, 5, 6, 7, 11, 50, 51];

/** Another program's IPAM interface, as the engine uses it. Every command throws DELEGATE_FAILED when the program reports an error. */
export class IpamDelegate {
  readonly #program: DelegateProgram;
  readonly #clock: Clock;

  constructor(program: DelegateProgram, clock: Clock) {
    this.#program = program;
    this.#clock = clock;
  }

  get type(): string {
    return this.#program.type;
  }

  /** An address for this call's attachment. When it throws, isRefusal says whether the program certainly keeps nothing. */
  async add(deadline: Deadline): Promise<CniResult> {
    const stdout = await this.#call("ADD", deadline);
    const document = parseObject(stdout);
    if (document === undefined) throw failed(this.type, "ADD", "its answer is no JSON object");
    const stated = findField(document, "cniVersion") ?? "";
    const version = typeof stated === "string" ? findVersion(stated === "" ? UNSTATED_VERSION : stated) : undefined;
    if (version === undefined) throw failed(this.type, "ADD", `its answer states the unknown cniVersion ${JSON.stringify(stated)}`);
    try {
      return parseAnyResult(document, version);
    } catch (thrown) {
      throw failed(this.type, "ADD", thrown instanceof Error ? thrown.message : String(thrown));
    }
  }

  /** Gives back what this call's attachment has, or what `other` has. */
  async del(deadline: Deadline, other?: OtherAttachment): Promise<void> {
    await this.#call("DEL", deadline, other);
  }

  async check(deadline: Deadline): Promise<void> {
    await this.#call("CHECK", deadline);
  }

  async gc(deadline: Deadline): Promise<void> {
    await this.#call("GC", deadline);
  }

  async status(deadline: Deadline): Promise<void> {
    await this.#call("STATUS", deadline);
  }

  async #call(command: DelegateCommand, deadline: Deadline, other?: OtherAttachment): Promise<string> {
    const timeoutMs = remaining(this.#clock, deadline);
    if (timeoutMs <= 0) throw outOfTime(this.type, command);
    const variables = other === undefined ? {} : { CNI_CONTAINERID: other.containerId, CNI_IFNAME: other.ifname, CNI_NETNS: other.netns };
    const { exitCode, stdout } = await this.#program.run(command, { timeoutMs, variables });
    if (exitCode !== 0) throw readFailure(this.type, command, { exitCode, stdout });
    return stdout;
  }
}

/** Whether an `add` that threw certainly took nothing: the program said so itself, or never ran. */
export function isRefusal(thrown: unknown): boolean {
  return thrown instanceof RefusalError || (thrown instanceof PluginError && thrown.code === "IO_FAILURE");
}

/** An error object of the program's own. */
class RefusalError extends PluginError {}

function readFailure(type: string, command: DelegateCommand, { exitCode, stdout }: DelegateOutput): PluginError {
  const document = parseObject(stdout);
  const code = document === undefined ? undefined : findField(document, "code");
  if (document === undefined || typeof code !== "number") return failed(type, command, `it ended with ${exitCode} and no error object`);
  const [msg, details] = [readText(document, "msg"), readText(document, "details")];
  const message = `the IPAM plugin "${type}" failed at ${command} with code ${code}: ${msg}`;
  return new RefusalError(
    "DELEGATE_FAILED",
    {
      message,
      ...(details !== "" && { details }),
      ...(SHARED_CODES.includes(code) && { cniCode: code }),
      existingContainersAffected: code === 51,
    },
    { retryable: true },
  );
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined; // the caller says what that means
  }
}

function readText(document: JsonObject, key: string): string {
  const value = findField(document, key);
  return typeof value === "string" ? value : "";
}

function failed(type: string, command: DelegateCommand, problem: string): PluginError {
  const data = { message: `the IPAM plugin "${type}" failed at ${command}: ${problem}`, remedy: "see its own log" };
  return new PluginError("DELEGATE_FAILED", data, { retryable: true });
}

/** The error for a program that there was no time for, or that took too long. */
export function outOfTime(type: string, command: DelegateCommand): PluginError {
  const data = {
    message: `the IPAM plugin "${type}" did not end in time at ${command}`,
    remedy: "try again; see that plugin's log for what it waits for, or raise operationTimeoutSeconds",
  };
  return new PluginError("OPERATION_TIMEOUT", data, { retryable: true });
}
