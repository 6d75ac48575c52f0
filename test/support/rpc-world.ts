/** A server of the pipe protocol on a Unix socket of its own, and clients that do as they are told, byte by byte. */
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "../../src/core/base/log.ts";
import { type Frame, FrameReader, type RpcAnswer, type RpcCall } from "../../src/service/rpc/frame.ts";
import type { RpcHandler } from "../../src/service/rpc/connection.ts";
import { RpcServer, type RpcServerOptions } from "../../src/service/rpc/server.ts";
import { utf8 } from "./shim-vectors.ts";

export class RpcWorld {
  readonly folder = mkdtempSync(join(tmpdir(), "hns-rpc-"));
  readonly path = join(this.folder, "agent.sock");
  /** Messages of warnings and of events, in order. */
  readonly messages: string[] = [];
  readonly log: Logger;
  readonly #servers: RpcServer[] = [];
  readonly #sockets: Socket[] = [];

  constructor() {
    const write = (message: string): void => void this.messages.push(message);
    this.log = { error: write, warn: write, info: write, debug: write };
  }

  /** A server that listens; it ends with the world. */
  async serve(handler: RpcHandler, options: Partial<RpcServerOptions> = {}): Promise<RpcServer> {
    const server = this.make(handler, options);
    await server.start();
    return server;
  }

  make(handler: RpcHandler, options: Partial<RpcServerOptions> = {}): RpcServer {
    const server = new RpcServer({ path: this.path, handler, ...options }, { log: this.log });
    this.#servers.push(server);
    return server;
  }

  async connect(): Promise<RawClient> {
    const socket = connect(this.path);
    this.#sockets.push(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new RawClient(socket);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) await server.close({ drainMs: 0 });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A connection on which nothing happens by itself. */
export class RawClient {
  readonly socket: Socket;
  /** The first frame that comes; undefined when the connection ends before. */
  readonly frame: Promise<Frame | undefined>;
  readonly closed: Promise<void>;

  constructor(socket: Socket) {
    this.socket = socket;
    const reader = new FrameReader();
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    this.frame = new Promise((resolve) => {
      socket.on("data", (chunk) => {
        const frame = reader.push(chunk);
        if (frame !== undefined) resolve(frame);
      });
      void this.closed.then(() => resolve(undefined));
    });
    socket.on("error", () => undefined);
  }

  send(content: Uint8Array): void {
    this.socket.write(content);
  }
}

/** A promise and the means to fulfil it. */
export interface Gate<T> {
  readonly promise: Promise<T>;
  open(value: T): void;
}

export function makeGate<T = void>(): Gate<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { promise, open: resolve };
}

export function answer(stdout: string, code = 0): RpcAnswer {
  return { code, stdout: utf8(stdout), stderr: new Uint8Array() };
}

export function call(name = "ADD", more: Partial<RpcCall> = {}): RpcCall {
  return { program: "hns-cni", variables: { CNI_COMMAND: name }, stdin: utf8("{}"), deadlineMs: 30_000, ...more };
}
