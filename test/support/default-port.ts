/** The emulator under the address that its libraries use when nobody names one: Wine gives a service none of the variables it is to have. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withFileLock } from "../../scripts/setup/file-lock.ts";

const PORT = 47474;
const PATIENCE_MS = 60_000;

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
  try {
    const close = await listen(address);
    return async () => {
      await close();
      release();
      await locked;
    };
  } catch (thrown) {
    release();
    await locked;
    throw thrown;
  }
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
  await listenWhenFree(server);
  return () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  };
}

/** The port is one of those that the kernel gives to connections and to whoever asks for any: another test may have it for a while. */
async function listenWhenFree(server: Server): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    server.listen(PORT, "127.0.0.1");
    try {
      await once(server, "listening");
      return;
    } catch (thrown) {
      if (!isTaken(thrown) || performance.now() > until) throw thrown;
    }
    await sleep(250);
  }
}

function isTaken(thrown: unknown): boolean {
  return typeof thrown === "object" && thrown !== null && "code" in thrown && thrown.code === "EADDRINUSE";
}
