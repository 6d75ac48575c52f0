import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { doControl } from "./control.ts";
import { SERVICE_DISCONNECT, type HnsModel } from "./model/model.ts";
import { runCall } from "./run-call.ts";
import {
  decodeCall,
  decodeControl,
  decodeSubscription,
  encodeControl,
  encodeKill,
  encodeNotification,
  encodeReply,
  FRAME,
  FrameReader,
  type Frame,
} from "./wire.ts";

export interface ServerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Called when a control request asks the emulator to end. */
  onStop?(): void;
}

interface ClientState {
  /** Connections it holds now. A client is gone when the last one ended. */
  connections: number;
}

/** Serves one model over TCP. Requests of one connection are answered in order, those of different connections side by side. */
export class EmulatorServer {
  readonly #model: HnsModel;
  readonly #options: ServerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #clients = new Map<number, ClientState>();

  constructor(model: HnsModel, options: ServerOptions) {
    this.#model = model;
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Listens; gives the address as `host:port`. */
  async start(): Promise<string> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, resolve);
    });
    // A TCP server's address is always of this type.
    return `${host}:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    const reader = new FrameReader();
    const connection = new Connection(socket, this.#model, this.#clients, () => this.#options.onStop?.());
    let turn = Promise.resolve();
    socket.on("data", (chunk) => {
      try {
        for (const frame of reader.push(chunk)) turn = turn.then(() => connection.handle(frame)).catch(() => void socket.destroy());
      } catch {
        socket.destroy();
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#sockets.delete(socket);
      connection.end();
    });
  }
}

/** One client connection: a thread of a native client, or a tool. */
class Connection {
  readonly #socket: Socket;
  readonly #model: HnsModel;
  readonly #clients: Map<number, ClientState>;
  readonly #onStop: () => void;
  #pid: number | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(socket: Socket, model: HnsModel, clients: Map<number, ClientState>, onStop: () => void) {
    this.#socket = socket;
    this.#model = model;
    this.#clients = clients;
    this.#onStop = onStop;
  }

  async handle(frame: Frame): Promise<void> {
    switch (frame.type) {
      case FRAME.CALL:
        await this.#call(frame.body);
        return;
      case FRAME.SUBSCRIBE:
        this.#subscribe(frame.body);
        return;
      case FRAME.CONTROL:
        this.#control(frame);
        return;
      default:
        this.#socket.destroy();
    }
  }

  /** The connection is over. */
  end(): void {
    this.#unsubscribe?.();
    const client = this.#pid === undefined ? undefined : this.#clients.get(this.#pid);
    if (client === undefined || this.#pid === undefined) return;
    client.connections -= 1;
    if (client.connections === 0) this.#clients.delete(this.#pid);
  }

  async #call(body: Buffer): Promise<void> {
    const { pid, name, args } = decodeCall(body);
    this.#introduce(pid);
    const options = { sleep: (ms: number) => sleep(ms), isGone: () => this.#socket.destroyed };
    const outcome = await runCall(this.#model, { name, args, caller: { pid } }, options);
    this.#send(outcome.kind === "kill" ? encodeKill() : encodeReply(outcome.result));
  }

  /** A callback of a guest network service hears what is about that service, one of the whole service the rest; both hear its end. */
  #subscribe(body: Buffer): void {
    const { pid, handle } = decodeSubscription(body);
    this.#introduce(pid);
    const service = handle === undefined ? undefined : this.#model.handles.resolve(handle, "guestService", pid);
    this.#unsubscribe ??= this.#model.subscribe((notification) => {
      if (notification.service === service || notification.type === SERVICE_DISCONNECT) this.#send(encodeNotification(notification));
    });
    // Tells the client that nothing is missed from here on.
    this.#send(encodeNotification({ type: 0, data: "" }));
  }

  #control(frame: Frame): void {
    const request = decodeControl(frame);
    if (isStop(request)) {
      this.#socket.end(encodeControl({ ok: true, value: null }));
      this.#onStop();
      return;
    }
    this.#send(encodeControl(this.#answer(request)));
  }

  #answer(request: unknown): unknown {
    try {
      if (isClients(request)) return { ok: true, value: [...this.#clients.keys()] };
      return { ok: true, value: doControl(this.#model, request) };
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown.message : String(thrown);
      const hresult = thrown instanceof Error && "hresult" in thrown ? { hresult: thrown.hresult } : {};
      return { ok: false, error, ...hresult };
    }
  }

  #introduce(pid: number): void {
    if (this.#pid !== undefined) return;
    this.#pid = pid;
    const client = this.#clients.get(pid) ?? { connections: 0 };
    client.connections += 1;
    this.#clients.set(pid, client);
  }

  #send(bytes: Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }
}

function isStop(request: unknown): boolean {
  return opOf(request) === "stop";
}

/** The pids of the clients connected now. */
function isClients(request: unknown): boolean {
  return opOf(request) === "clients";
}

function opOf(request: unknown): unknown {
  return typeof request === "object" && request !== null && "op" in request ? request.op : undefined;
}
