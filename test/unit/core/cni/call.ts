import { dispatch } from "../../../../src/core/cni/dispatch.ts";
import type { CniHandlers } from "../../../../src/core/cni/dispatch.ts";
import type { CniResult } from "../../../../src/core/cni/result.ts";

export const NETNS = "5b0f1f7e-43ca-4d36-8b38-b2c1a1b1a111";

/** A result with everything in it. */
export const FULL_RESULT: CniResult = {
  interfaces: [{ name: "eth0", mac: "00:15:5d:00:00:01", mtu: 1450, sandbox: NETNS, socketPath: "C:\\s", pciId: "0000:00:01.0" }],
  ips: [
    { address: "10.244.3.7/24", gateway: "10.244.3.2", interface: 0 },
    { address: "fd00::7/64", gateway: "fd00::1", interface: 0 },
    { address: "10.244.3.8/24" },
  ],
  routes: [
    { dst: "0.0.0.0/0", gw: "10.244.3.2", mtu: 1400, advmss: 1360, priority: 5, table: 0, scope: 0 },
    { dst: "::/0", gw: "fd00::1" },
  ],
  dns: { nameservers: ["10.96.0.10"], domain: "cluster.local", search: ["svc"], options: ["ndots:5"] },
};

export const BARE_RESULT: CniResult = { interfaces: [], ips: [], routes: [], dns: { nameservers: [], search: [], options: [] } };

/** The environment of a correct call. */
export function buildEnv(command: string, changes: Record<string, string | undefined> = {}): Record<string, string | undefined> {
  return { CNI_COMMAND: command, CNI_CONTAINERID: "abc", CNI_NETNS: NETNS, CNI_IFNAME: "eth0", CNI_PATH: "C:\\cni", ...changes };
}

/** A configuration that suits every command. */
export function buildStdin(changes: Record<string, unknown> = {}): string {
  const prevResult = { cniVersion: "1.1.0", ips: [{ address: "10.244.3.7/24" }] };
  return JSON.stringify({ cniVersion: "1.1.0", name: "pods", type: "hns-cni", prevResult, "cni.dev/valid-attachments": [], ...changes });
}

export interface Call {
  readonly exitCode: number;
  /** Everything that was written to stdout, one entry a write. */
  readonly writes: readonly string[];
  /** stdout as JSON; undefined when nothing was written. */
  readonly answer: Record<string, unknown> | undefined;
  /** The handlers that ran, with what they were given. */
  readonly handled: readonly { readonly name: string; readonly request: Record<string, unknown> }[];
  readonly reads: number;
}

/** One call through dispatch, recorded. Handlers do nothing and ADD answers FULL_RESULT unless `handlers` says otherwise. */
export async function call(
  env: Record<string, string | undefined>,
  stdin: string | Error = buildStdin(),
  handlers: Partial<CniHandlers> = {},
): Promise<Call> {
  const writes: string[] = [];
  const handled: { name: string; request: Record<string, unknown> }[] = [];
  let reads = 0;
  const record = <R extends object, T>(name: string, work: ((request: R) => Promise<T>) | undefined, answer: T) => {
    return (request: R): Promise<T> => {
      handled.push({ name, request: Object.fromEntries(Object.entries(request)) });
      return work === undefined ? Promise.resolve(answer) : work(request);
    };
  };
  const exitCode = await dispatch(
    {
      env,
      readStdin: () => {
        reads++;
        if (stdin instanceof Error) throw stdin;
        return stdin;
      },
      writeStdout: (text) => void writes.push(text),
    },
    {
      add: record("add", handlers.add, FULL_RESULT),
      del: record("del", handlers.del, undefined),
      check: record("check", handlers.check, undefined),
      gc: record("gc", handlers.gc, undefined),
      status: record("status", handlers.status, undefined),
    },
  );
  return {
    exitCode,
    writes,
    answer: writes.length === 0 ? undefined : (JSON.parse(writes.join("")) as Record<string, unknown>),
    handled,
    reads,
  };
}
