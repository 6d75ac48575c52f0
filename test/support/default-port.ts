/** The emulator under the address that its libraries use when nobody names one: Wine gives a service none of the variables it is to have. */
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withFileLock } from "../../scripts/setup/file-lock.ts";

const PORT = 47474;

/** Passes on what comes there to the emulator at `address`, until the function it gives is called. One at a time on a machine. */
export async function relayDefaultPort(address: string): Promise<() => Promise<void>> {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  let locked: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    locked = withFileLock(join(tmpdir(), "hns-emulator-port.lock"), () => {
      resolve();
      return held;
    });
    locked.catch(reject);
  });
  const close = await listen(address);
  return async () => {
    await close();
    release();
    await locked;
  };
}

async function listen(address: string): Promise<() => Promise<void>> {
  const [host = "", port = ""] = address.split(":");
  const sockets = new Set<Socket>();
  const server = createServer((incoming) => {
    const outgoing = connect({ host, port: Number(port), noDelay: true });
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk) => to.write(chunk));
      from.on("error", () => to.destroy());
      from.once("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(PORT, "127.0.0.1", resolve);
  });
  return () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  };
}
