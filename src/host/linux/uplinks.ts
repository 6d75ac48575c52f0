import { PluginError } from "../../core/base/errors.ts";
import { parseUplink } from "../../core/engine/prepare/snapshot.ts";
import type { Uplink, UplinkAccess } from "../../core/engine/prepare/uplink.ts";
import type { HostAnswer } from "./emulated-host.ts";

const FAILURE = 0x80000000;
/** ERROR_OBJECT_ALREADY_EXISTS as an HRESULT. */
const EXISTS = 0x80071392;

/** The emulated machine's cards and management interfaces; `ask` gives undefined where no library plays the machine. */
export function openEmulatedUplinks(ask: (request: object) => HostAnswer | undefined): UplinkAccess {
  const request = (message: { readonly op: string; readonly [key: string]: unknown }): unknown => {
    const found = ask(message);
    if (found === undefined) throw failed(`the library that stands for HNS plays no machine: it has no answer to ${message.op}`);
    const { hresult, answer } = found;
    if (hresult >= FAILURE && hresult !== EXISTS)
      throw failed(`the emulated machine answered ${message.op} with 0x${hresult.toString(16)}`);
    return answer;
  };
  return {
    list: async () => readUplinks(request({ op: "uplinks" })),
    addAddress: async (name, address) => void request({ op: "add-address", interface: name, ...address }),
    addRoute: async (name, { destination, nextHop }) => void request({ op: "add-route", interface: name, destination, nextHop }),
    setDns: async (name, servers) => void request({ op: "set-dns", interface: name, servers }),
    reaches: async (name, neighbour) => hasFlag(request({ op: "probe", interface: name, address: neighbour }), "answers"),
  };
}

function readUplinks(answer: unknown): Uplink[] {
  const list: unknown = typeof answer === "object" && answer !== null && "uplinks" in answer ? answer.uplinks : undefined;
  if (!Array.isArray(list)) throw failed("the emulated machine told no uplinks");
  return list.map((item) => {
    const uplink = parseUplink(item);
    if (uplink === undefined) throw failed(`the emulated machine told an uplink that cannot be read: ${JSON.stringify(item)}`);
    return uplink;
  });
}

function hasFlag(answer: unknown, key: string): boolean {
  return typeof answer === "object" && answer !== null && new Map<string, unknown>(Object.entries(answer)).get(key) === true;
}

function failed(message: string): PluginError {
  return new PluginError("IO_FAILURE", { message, remedy: "use the emulator of this same release" });
}
