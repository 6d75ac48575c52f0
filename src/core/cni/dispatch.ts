import { PluginError } from "../base/errors.ts";
import { checkVariables, readCommand, readVariables } from "./environment.ts";
import type { Command, CniVariables, Environment } from "./environment.ts";
import { buildErrorObject } from "./error-object.ts";
import type { ErrorContext } from "./error-object.ts";
import { buildAttachmentRequest, buildGcRequest, buildStatusRequest, parseConfig, parseNetworkName, readStatedVersion } from "./request.ts";
import type { AttachmentRequest, GcRequest, RequestParts, StatusRequest } from "./request.ts";
import { formatResult } from "./result-conversion.ts";
import type { ResultDocument } from "./result-conversion.ts";
import { checkResult } from "./result.ts";
import type { CniResult } from "./result.ts";
import { checkVersion, CURRENT_VERSION, findVersion, UNSTATED_VERSION } from "./version.ts";
import type { CniVersion } from "./version.ts";
import { answerVersion } from "./version-call.ts";

/** The world of one CNI call. `readStdin` gives all of stdin and is called at most once; `writeStdout` is called at most once. */
export interface CniIo {
  readonly env: Environment;
  readonly readStdin: () => string;
  readonly writeStdout: (text: string) => void;
}

/** The plugin's work. A handler reports failure by throwing; a PluginError carries cause and remedy. */
export interface CniHandlers {
  readonly add: (request: AttachmentRequest) => Promise<CniResult>;
  readonly del: (request: AttachmentRequest) => Promise<void>;
  readonly check: (request: AttachmentRequest) => Promise<void>;
  readonly gc: (request: GcRequest) => Promise<void>;
  readonly status: (request: StatusRequest) => Promise<void>;
}

/** How far a call has come, for the error document. */
interface Progress {
  command: Command | undefined;
  cniVersion: CniVersion;
  stage: ErrorContext["stage"];
}

/**
 * Runs one CNI call. Writes exactly one JSON document, or nothing when DEL, CHECK, GC or STATUS succeed, and never throws.
 * An ADD whose result cannot be written is taken back through the `del` handler.
 * @returns the exit code: 0, or 1 when an error document was written or stdout could not be
 */
export async function dispatch(io: CniIo, handlers: CniHandlers): Promise<0 | 1> {
  const progress: Progress = { command: undefined, cniVersion: CURRENT_VERSION, stage: "request" };
  let output: string;
  let exitCode: 0 | 1 = 0;
  try {
    const document = await run(io, handlers, progress);
    if (document === undefined) return 0;
    output = JSON.stringify(document);
  } catch (thrown) {
    if (thrown instanceof HandedOver) return handOn(io, thrown);
    output = JSON.stringify(buildErrorObject(thrown, progress));
    exitCode = 1;
  }
  return write(io, output) ? exitCode : 1;
}

/** What a handler throws when another program of ours has done the whole call: its answer is the answer. */
export class HandedOver extends Error {
  readonly stdout: string;
  readonly exitCode: 0 | 1;

  constructor(stdout: string, exitCode: 0 | 1) {
    super("another program did this call");
    this.stdout = stdout;
    this.exitCode = exitCode;
  }
}

function handOn(io: CniIo, { stdout, exitCode }: HandedOver): 0 | 1 {
  return stdout === "" || write(io, stdout) ? exitCode : 1;
}

async function run(io: CniIo, handlers: CniHandlers, progress: Progress): Promise<object | undefined> {
  const command = readCommand(io.env);
  progress.command = command;
  if (command === "VERSION") return answerVersion(io.readStdin);
  const parts = readParts(io, command, progress);
  switch (command) {
    case "ADD":
      return runAdd(buildAttachmentRequest(command, parts), handlers, progress);
    case "DEL":
      return runSilently(progress, handlers.del, buildAttachmentRequest(command, parts));
    case "CHECK":
      return runSilently(progress, handlers.check, buildAttachmentRequest(command, parts));
    case "GC":
      return runSilently(progress, handlers.gc, buildGcRequest(parts));
    case "STATUS":
      return runSilently(progress, handlers.status, buildStatusRequest(parts));
  }
}

/** Faults are found in the order of the reference skeleton: presence, stdin, JSON, name, content of variables, version. */
function readParts(io: CniIo, command: Exclude<Command, "VERSION">, progress: Progress): RequestParts {
  const variables: CniVariables = readVariables(io.env, command);
  const stdin = readStdin(io);
  const config = parseConfig(stdin);
  const stated = readStatedVersion(config);
  progress.cniVersion = findVersion(stated === "" ? UNSTATED_VERSION : stated) ?? CURRENT_VERSION;
  const networkName = parseNetworkName(config);
  checkVariables(variables);
  return { env: io.env, variables, stdin, config, networkName, cniVersion: checkVersion(command, stated) };
}

async function runSilently<R>(progress: Progress, handler: (request: R) => Promise<void>, request: R): Promise<undefined> {
  progress.stage = "handler";
  await handler(request);
}

async function runAdd(request: AttachmentRequest, handlers: CniHandlers, progress: Progress): Promise<ResultDocument> {
  progress.stage = "handler";
  const result = await handlers.add(request);
  try {
    checkResult(result);
    return formatResult(result, request.cniVersion);
  } catch (thrown) {
    // The runtime will see a failed ADD, so nothing of it may stay.
    await takeBack(request, handlers, thrown);
    throw thrown;
  }
}

async function takeBack(request: AttachmentRequest, handlers: CniHandlers, reason: unknown): Promise<void> {
  try {
    await handlers.del({ ...request, command: "DEL" });
  } catch (thrown) {
    const { msg } = buildErrorObject(thrown, { command: "DEL", cniVersion: request.cniVersion, stage: "handler" });
    const { msg: why } = buildErrorObject(reason, { command: "ADD", cniVersion: request.cniVersion, stage: "handler" });
    throw new PluginError("CLEANUP_FAILED", {
      message: `${why}; taking the attachment back failed: ${msg}`,
      remedy: "run DEL for this container",
    });
  }
}

function readStdin(io: CniIo): string {
  try {
    return io.readStdin();
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : "unknown reason";
    throw new PluginError(
      "IO_FAILURE",
      { message: `cannot read stdin: ${reason}`, remedy: "pass the plugin configuration on stdin" },
      { cause: thrown },
    );
  }
}

function write(io: CniIo, text: string): boolean {
  try {
    io.writeStdout(text);
    return true;
  } catch {
    // Nobody reads the answer any more: the exit code is all that is left to say so.
    return false;
  }
}
