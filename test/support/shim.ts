/** Builds of the shim for tests, runs of it, and servers that answer it byte by byte. */
import { spawn } from "node:child_process";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { linuxShim, shimArguments, shimReason, windowsShim, type ShimTarget } from "../../scripts/package/shim.ts";
import { type Frame, FrameReader } from "../../src/service/rpc/frame.ts";
import { runProgram, SANITIZERS } from "../system/emulator/build.ts";

export { linuxShim, shimReason, windowsShim };
export const SANITIZED: readonly string[] = SANITIZERS;
/** The shim's deadline in builds that are to run into it. */
export const HASTY: readonly string[] = ["-DSHIM_DEADLINE_MS=300"];

/** Builds the shim with further flags; gives the program's path. Throws with the compiler's words, warnings among them. */
export async function buildTestShim(target: ShimTarget, output: string, extra: readonly string[]): Promise<string> {
  const built = await runProgram(target.compiler, shimArguments(target, { root: process.cwd(), output, extra }));
  if (built.code !== 0 || built.stderr !== "") throw new Error(built.stderr);
  return output;
}

export interface ShimRun {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  readonly argv0?: string;
  readonly args?: readonly string[];
  /** Closes the reading end of stdout before anything is written. */
  readonly isDeaf?: boolean;
  /** Standard input never ends: nothing more comes, or a space every few milliseconds. */
  readonly endless?: "silent" | "dripping";
}

export interface ShimEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a Linux build of the shim, or what starts it, to its end. */
export function runShim(file: string, { env = {}, stdin = "", argv0, args = [], isDeaf = false, endless }: ShimRun): Promise<ShimEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: { ...env }, stdio: "pipe", ...(argv0 === undefined ? {} : { argv0 }) });
    const output = { stdout: "", stderr: "" };
    if (isDeaf) child.stdout.destroy();
    for (const name of ["stdout", "stderr"] as const) child[name].setEncoding("utf8").on("data", (text: string) => (output[name] += text));
    const drip = endless === "dripping" ? setInterval(() => child.stdin.write(" "), 10) : undefined;
    child.once("error", reject);
    child.once("exit", () => clearInterval(drip));
    child.once("close", (code, signal) => resolve({ code, signal, ...output }));
    child.stdin.on("error", () => undefined);
    child.stdin.write(stdin);
    if (endless === undefined) child.stdin.end();
  });
}

export interface ShimError {
  readonly cniVersion: string;
  readonly code: number;
  readonly msg: string;
}

/** The one document on stdout of a run that failed. */
export function readShimError(end: Pick<ShimEnd, "code" | "stdout" | "stderr">): ShimError {
  expect({ code: end.code, stderr: end.stderr }).toEqual({ code: 1, stderr: "" });
  const document = JSON.parse(end.stdout) as ShimError;
  expect(Object.keys(document)).toEqual(["cniVersion", "code", "msg"]);
  // Words by which a runtime takes a failed DEL for one that found nothing to do.
  expect(document.msg).not.toMatch(/not found|no such file/i);
  return document;
}

/** Does with a connection what a test wants; `request` comes whole or never. */
export type Serve = (socket: Socket, request: Promise<Frame>) => void;

/** A server on a Unix socket that does nothing by itself. */
export class RawServer {
  readonly path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Connections so far. */
  connections = 0;

  private constructor(path: string, serve: Serve) {
    this.path = path;
    this.#server = createServer((socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on("error", () => undefined).once("close", () => this.#sockets.delete(socket));
      serve(socket, readFrame(socket));
    });
  }

  static async start(folder: string, serve: Serve): Promise<RawServer> {
    const server = new RawServer(join(folder, "raw.sock"), serve);
    await new Promise<void>((resolve) => server.#server.listen(server.path, resolve));
    return server;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function readFrame(socket: Socket): Promise<Frame> {
  const reader = new FrameReader();
  return new Promise((resolve) => {
    socket.on("data", (chunk) => {
      const frame = reader.push(chunk);
      if (frame !== undefined) resolve(frame);
    });
  });
}
