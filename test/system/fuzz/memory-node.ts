import { formatIp } from "../../../src/core/base/ip.ts";
import { buildHandlers, type RunOperation } from "../../../src/bin/handlers.ts";
import { dispatch } from "../../../src/core/cni/dispatch.ts";
import type { Machine } from "../../../src/core/engine/machine.ts";
import { Operation } from "../../../src/core/engine/operation.ts";
import { Database } from "../../../src/host/state/database.ts";
import type { Row } from "../../../src/host/state/row.ts";
import { SqliteStateStore } from "../../../src/host/state/sqlite-store.ts";
import { createModel, ModelBackend } from "../../emulator/model-backend.ts";
import { createNamespace } from "../../emulator/model/namespaces.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import type { FuzzCall } from "./calls.ts";
import { findStateProblems } from "./state-problems.ts";
import type { Answer } from "./verdict.ts";

const ZERO_ID = "00000000-0000-0000-0000-000000000000";

/** The program without its process: everything from dispatch down is the product, on an HNS and a state in memory. */
export class MemoryNode {
  readonly clock = new FakeClock({ autoAdvance: true });
  readonly model = createModel();
  readonly database = Database.open({ path: ":memory:", busyTimeoutMs: 0 });
  readonly store = new SqliteStateStore(this.database);
  #pid = 0;

  /** Makes `count` namespaces and gives their ids. */
  addNamespaces(count: number): string[] {
    return Array.from({ length: count }, () => createNamespace(this.model.world, ZERO_ID, {}).id);
  }

  /** One call, as a process of its own. */
  async run({ env, stdin }: FuzzCall): Promise<Answer> {
    const pid = ++this.#pid;
    const stdout: string[] = [];
    const backend = new ModelBackend(this.model, { pid, sleep: (ms) => this.clock.sleep(ms) });
    const log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
    const runOperation: RunOperation = async ({ config }, _context, work) => {
      await work(new Operation({ backend, store: this.store, machine: this.#machine(pid, backend), log }, config));
    };
    const io = { env, readStdin: () => Buffer.from(stdin).toString("utf8"), writeStdout: (text: string) => void stdout.push(text) };
    const exitCode = await dispatch(io, buildHandlers(runOperation));
    this.model.log.clear();
    return { stdout, exitCode, stderr: "" };
  }

  /** What is wrong with the state, with HNS, or between them, when no call is under way. */
  findProblems(): string[] {
    const { endpoints, networks } = this.model.world;
    const held = [...endpoints.values()].map(({ id, name, network, addresses }) => {
      return { id, name, networkName: networks.get(network)?.name ?? network, addresses: addresses.map(({ address }) => address) };
    });
    const handles = this.model.handles.list().length;
    const query = (sql: string): Row[] => this.database.all(sql, (row) => row);
    return [...(handles === 0 ? [] : [`${handles} handles were left open`]), ...findStateProblems(query, held)];
  }

  close(): void {
    this.store.close();
  }

  #machine(pid: number, backend: ModelBackend): Machine {
    return {
      clock: this.clock,
      nodeName: "node-1",
      architecture: "amd64",
      hnsStart: () => this.model.world.hnsStart,
      processes: { self: () => ({ pid, startedAt: `start-${pid}`, bootId: this.clock.bootId() }), isAlive: (holder) => holder.pid === pid },
      enableForwarding: async (address) => {
        await backend.host({ op: "set-forwarding", address: formatIp(address) }, { deadlineMs: 1_000 });
        return "enabled";
      },
    };
  }
}
