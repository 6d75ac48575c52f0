/** The emulator's process: `main.ts [--host 127.0.0.1] [--port 47474]`. Writes one line `{"address","pid"}` when it is ready. */
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { HnsModel } from "./model/model.ts";
import { EmulatorServer } from "./server.ts";

export const DEFAULT_PORT = 47474;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { host: { type: "string", default: "127.0.0.1" }, port: { type: "string", default: String(DEFAULT_PORT) } },
  });
  const model = new HnsModel({ sources: { now: () => performance.now(), guid: () => randomUUID() } });
  const server: EmulatorServer = new EmulatorServer(model, { host: values.host, port: Number(values.port), onStop: () => void stop() });
  const stop = async (): Promise<void> => {
    // The answer to the stop request is on its way: let it leave before the sockets go.
    setImmediate(() => void server.close().then(() => process.exit(0)));
  };
  process.on("SIGTERM", () => void stop());
  const address = await server.start();
  process.stdout.write(`${JSON.stringify({ address, pid: process.pid })}\n`);
}

main().catch((thrown: unknown) => {
  process.stderr.write(`hns-emulator: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = 1;
});
