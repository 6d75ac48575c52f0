/** The emulator's process: `main.ts [--host 127.0.0.1] [--port 47474] [--version-preset 2025]`. Writes one line `{"address","pid"}` when it is ready. */
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { readSettings } from "./control-readers.ts";
import { HnsModel } from "./model/model.ts";
import { EmulatorServer } from "./server.ts";

export const DEFAULT_PORT = 47474;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: String(DEFAULT_PORT) },
      "version-preset": { type: "string" },
    },
  });
  const preset = values["version-preset"];
  const settings = readSettings(preset === undefined ? {} : { versionPreset: preset });
  const model = new HnsModel({ sources: { now: () => performance.now(), guid: () => randomUUID() }, settings });
  const server: EmulatorServer = new EmulatorServer(model, { host: values.host, port: readPort(values.port), onStop: () => void stop() });
  const stop = async (): Promise<void> => {
    // The answer to the stop request is on its way: let it leave before the sockets go.
    setImmediate(() => void server.close().then(() => process.exit(0)));
  };
  process.on("SIGTERM", () => void stop());
  const address = await server.start();
  process.stdout.write(`${JSON.stringify({ address, pid: process.pid })}\n`);
}

function readPort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`--port is a number from 0 to 65535, not "${text}"`);
  return port;
}

function explain(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const inUse = "code" in thrown && thrown.code === "EADDRINUSE";
  return inUse ? `${thrown.message}: an emulator (or another program) listens there; choose another with --port` : thrown.message;
}

main().catch((thrown: unknown) => {
  process.stderr.write(`hns-emulator: ${explain(thrown)}\n`);
  process.exitCode = 1;
});
