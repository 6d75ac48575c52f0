/** What the Windows shim meets under Wine: a pipe served by Node, and a main program. */
import { execFile } from "node:child_process";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "./paths.ts";
import { runUnderWine, type WineMachine } from "./wine.ts";
import { installFile } from "./wine-files.ts";

const run = promisify(execFile);

/** A Linux path as a Windows program sees it under Wine. */
export function windowsPath(path: string): string {
  return `Z:${path.replaceAll("/", "\\")}`;
}

/** The product's program carries Node; with its fuse turned back it is Node itself. */
export function installPlainNode(machine: WineMachine): string {
  return installFile(machine.program, join(build, "wine-node"), (content) => {
    const fuse = Buffer.from("NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:1");
    const at = content.indexOf(fuse);
    if (at < 0) throw new Error("the program has no fuse that is turned");
    content.write("0", at + fuse.length - 1, "latin1");
  });
}

/** The host's script as one file that Node under Wine can read. */
export async function bundleHost(folder: string): Promise<string> {
  const output = join(folder, "host.cjs");
  const esbuild = join(process.cwd(), "node_modules/esbuild/bin/esbuild");
  const entry = join(process.cwd(), "test/support/shim-pipe-host.ts");
  await run(esbuild, [entry, "--bundle", "--platform=node", "--format=cjs", `--outfile=${output}`, "--log-level=error"]);
  return output;
}

export interface HostOptions {
  readonly machine: WineMachine;
  /** From installPlainNode and bundleHost. */
  readonly node: string;
  readonly script: string;
  readonly pipe: string;
}

/** A server of the pipe in a Windows process of its own. */
export class PipeHost {
  readonly #control: Server;
  readonly #ended: Promise<unknown>;
  readonly #line: Promise<Socket>;

  private constructor(control: Server, line: Promise<Socket>, ended: Promise<unknown>) {
    this.#control = control;
    this.#line = line;
    this.#ended = ended;
  }

  /** Serves calls, or with `raw` sends these bytes to every caller. Resolves when it listens. */
  static async start({ machine, node, script, pipe }: HostOptions, raw?: Uint8Array): Promise<PipeHost> {
    const control = createServer();
    const line = new Promise<Socket>((resolve) => control.once("connection", resolve));
    await new Promise<void>((resolve) => control.listen(0, "127.0.0.1", resolve));
    // A TCP server's address is always of this type.
    const { port } = control.address() as AddressInfo;
    const mode = raw === undefined ? ["server"] : ["raw", Buffer.from(raw).toString("hex")];
    const args = [windowsPath(script), String(port), `\\\\.\\pipe\\${pipe}`, ...mode];
    const ended = runUnderWine(machine, { exe: node, args, timeoutMs: 240_000 });
    const early = ended.then((end) => {
      throw new Error(`the host of the pipe ended: ${JSON.stringify(end)}`);
    });
    await Promise.race([line, early]);
    early.catch(() => undefined);
    return new PipeHost(control, line, ended);
  }

  async close(): Promise<void> {
    (await this.#line).destroy();
    await this.#ended;
    await new Promise<void>((resolve) => this.#control.close(() => resolve()));
  }
}
