/**
 * The server's end of the Windows pipe, as a program of its own for Node under Wine. `host PORT PATH server` serves calls: it answers each
 * with what it was sent, or as CNI_CONTAINERID asks. `host PORT PATH raw HEX` sends these bytes to whoever has sent a call, and hangs up.
 * It connects to PORT when it listens, and ends when that connection does.
 */
import { connect, createServer } from "node:net";
import { FrameReader, type RpcAnswer, type RpcCall } from "../../src/service/rpc/frame.ts";
import { RpcServer } from "../../src/service/rpc/server.ts";

const SILENT_LOG = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

function handle(call: RpcCall): Promise<RpcAnswer> {
  const stderr = Buffer.from("warned");
  switch (call.variables["CNI_CONTAINERID"]) {
    case "silent":
      return new Promise(() => undefined);
    case "broken":
      return Promise.reject(new Error("as asked"));
    case "echo":
      return Promise.resolve({ code: 0, stdout: call.stdin, stderr });
    default: {
      const seen = { ...call, stdin: Buffer.from(call.stdin).toString("utf8") };
      return Promise.resolve({ code: 3, stdout: Buffer.from(JSON.stringify(seen)), stderr });
    }
  }
}

async function serveCalls(path: string): Promise<void> {
  await new RpcServer({ path, handler: handle }, { log: SILENT_LOG }).start();
}

function serveRaw(path: string, content: Buffer): Promise<void> {
  const server = createServer((socket) => {
    const reader = new FrameReader();
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      if (reader.push(chunk) !== undefined) socket.end(content);
    });
  });
  return new Promise((resolve) => server.listen(path, resolve));
}

async function main([port = "", path = "", mode = "", hex = ""]: readonly string[]): Promise<void> {
  await (mode === "raw" ? serveRaw(path, Buffer.from(hex, "hex")) : serveCalls(path));
  const control = connect({ host: "127.0.0.1", port: Number(port) });
  control.on("close", () => process.exit(0)).on("error", () => process.exit(1));
  control.resume();
}

void main(process.argv.slice(2));
