import { formatGuid, findGuid, type Guid } from "../../src/core/base/ids.ts";
import { formatIp } from "../../src/core/base/ip.ts";
import type { LogFields, Logger } from "../../src/core/base/log.ts";
import type { CniResult } from "../../src/core/cni/result.ts";
import { normalise, normaliseHnsAddressed } from "../../src/core/config/normalise.ts";
import type { AttachableConfig, HnsAddressedConfig, PluginConfig } from "../../src/core/config/plugin-config.ts";
import { attach } from "../../src/core/engine/attach.ts";
import type { AttachRequest } from "../../src/core/engine/attachment.ts";
import { type Attachment, attachmentId, type AttachmentKey } from "../../src/core/engine/attachment.ts";
import { check } from "../../src/core/engine/check.ts";
import { detach } from "../../src/core/engine/detach.ts";
import { attachHnsAddressed, checkHnsAddressed, reportHnsAddressedStatus } from "../../src/core/engine/hns-addressed.ts";
import { collectGarbage } from "../../src/core/engine/gc.ts";
import type { Machine } from "../../src/core/engine/machine.ts";
import { type EngineOptions, Operation } from "../../src/core/engine/operation.ts";
import { reportStatus } from "../../src/core/engine/status.ts";
import { Database } from "../../src/host/state/database.ts";
import { SqliteStateStore } from "../../src/host/state/sqlite-store.ts";
import { createModel, ModelBackend } from "../emulator/model-backend.ts";
import type { HnsModel } from "../emulator/model/model.ts";
import { createEndpoint } from "../emulator/model/endpoints.ts";
import { createNamespace } from "../emulator/model/namespaces.ts";
import { createNetwork } from "../emulator/model/networks.ts";
import type { EndpointRecord, Settings } from "../emulator/model/world.ts";
import { FakeClock } from "./fake-clock.ts";
import { TestProcess } from "./test-process.ts";

export const NETWORK = "pods";
export const HOST_ENDPOINT = `${NETWORK}_ep`;
const ZERO_ID = "00000000-0000-0000-0000-000000000000";

/** `ms` of a fault "late": longer than every deadline, and over only when the test says so. */
export const LATE_MS = 3_600_000;
/** `ms` of a fault "late" whose caller still waits: the call stands still until the test lets it go on. */
export const HOLD_MS = 1;

export interface EngineFixtureOptions {
  readonly config?: Readonly<Record<string, unknown>>;
  /** Who chooses the pods' addresses; default: the plugin. */
  readonly addresses?: "ours" | "hns";
  readonly settings?: Partial<Settings>;
  /** False: time stands still until the test moves it. */
  readonly autoAdvance?: boolean;
}

/** One row of a table, as SQLite has it. */
export type StoredRow = Readonly<Record<string, unknown>>;

/** A node: HNS, state and clock, on which each command runs as a process of its own. */
export class EngineFixture {
  readonly clock: FakeClock;
  readonly model: HnsModel;
  readonly database = Database.open({ path: ":memory:", busyTimeoutMs: 0 });
  readonly store = new SqliteStateStore(this.database);
  readonly log: { level: string; message: string; fields: LogFields }[] = [];
  config: AttachableConfig;
  forwarding: "enabled" | "missing" = "enabled";
  #processes: TestProcess[] = [];
  #gates: { ms: number; open: () => void }[] = [];

  constructor(options: EngineFixtureOptions = {}) {
    this.clock = new FakeClock({ autoAdvance: options.autoAdvance ?? true });
    this.model = createModel(options.settings, () => this.clock.now());
    this.config = options.addresses === "hns" ? buildHnsAddressedConfig(options.config) : buildConfig(options.config);
  }

  /** A pod to be: its container and a namespace in HNS. */
  pod(containerId: string, ifname = "eth0"): AttachRequest {
    const namespace = createNamespace(this.model.world, ZERO_ID, {});
    return { network: NETWORK, containerId, ifname, netns: namespace.id.toLowerCase() };
  }

  spawn(): TestProcess {
    const pid = this.#processes.length + 1;
    const backend = new ModelBackend(this.model, { pid, sleep: (ms) => this.#sleep(ms) });
    const process = new TestProcess(pid, backend, this.store);
    this.#processes.push(process);
    return process;
  }

  /** Throws where HNS chooses the addresses. */
  operation(process: TestProcess): Operation {
    const { config } = this;
    if (!("ipam" in config)) throw new Error("the addresses are HNS's");
    return this.#operate(process, config);
  }

  engine(process: TestProcess): EngineOptions {
    return { backend: process.backend, store: process.store, machine: this.#machine(process), log: this.#logger() };
  }

  add(request: AttachRequest, process = this.spawn()): Promise<CniResult> {
    const { config } = this;
    return process.run(() =>
      "ipam" in config ? attach(this.#operate(process, config), request) : attachHnsAddressed(this.#operate(process, config), request),
    );
  }

  del(request: AttachRequest, process = this.spawn()): Promise<void> {
    return process.run(() => detach(this.#operate(process, this.config), request));
  }

  check(request: AttachRequest, prevResult?: CniResult, process = this.spawn()): Promise<void> {
    const { config } = this;
    const asked = { ...request, prevResult };
    return process.run(() =>
      "ipam" in config ? check(this.#operate(process, config), asked) : checkHnsAddressed(this.#operate(process, config), asked),
    );
  }

  gc(valid: readonly Pick<AttachmentKey, "containerId" | "ifname">[], process = this.spawn()): Promise<void> {
    return process.run(() => collectGarbage(this.#operate(process, this.config), { network: NETWORK, valid }));
  }

  status(process = this.spawn()): Promise<void> {
    const { config } = this;
    return process.run(() =>
      "ipam" in config ? reportStatus(this.#operate(process, config)) : reportHnsAddressedStatus(this.#operate(process, config)),
    );
  }

  #operate<C extends AttachableConfig>(process: TestProcess, config: C): Operation<C> {
    const { backend, store } = process;
    return new Operation({ backend, store, machine: this.#machine(process), log: this.#logger() }, config);
  }

  /** Lets the calls go on that a fault with this `ms` holds back. */
  async release(ms: typeof LATE_MS | typeof HOLD_MS): Promise<void> {
    const opened = this.#gates.filter((gate) => gate.ms === ms);
    this.#gates = this.#gates.filter((gate) => gate.ms !== ms);
    for (const gate of opened) gate.open();
    await this.settle();
  }

  /** Lets everything run that can. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  }

  /** The HCN calls and version 1 calls since `clearCalls`, by name of the export. */
  calls(): string[] {
    return this.model.log.list().map(({ name }) => name);
  }

  clearCalls(): void {
    this.model.log.clear();
  }

  /** Every endpoint but the host's. */
  podEndpoints(): EndpointRecord[] {
    return [...this.model.world.endpoints.values()].filter(({ name }) => name !== HOST_ENDPOINT);
  }

  endpointOf(request: AttachRequest): EndpointRecord | undefined {
    return this.podEndpoints().find(({ namespace }) => namespace !== null && findGuid(namespace) === findGuid(request.netns));
  }

  attachment(key: AttachmentKey): Attachment | undefined {
    return this.store.read((tx) => tx.findAttachment(attachmentId(key)));
  }

  rows(table: "attachments" | "addresses" | "blocks" | "pools" | "leases" | "networks"): StoredRow[] {
    return this.database.all(`SELECT * FROM ${table}`, (row) => ({ ...row }));
  }

  /** What of the state says that something of a pod is there: addresses in use and attachments not gone. */
  held(): { addresses: StoredRow[]; attachments: StoredRow[]; leases: StoredRow[] } {
    return {
      addresses: this.rows("addresses").filter(({ state }) => state === "assigned" || state === "quarantined"),
      attachments: this.rows("attachments").filter(({ phase }) => phase !== "gone"),
      leases: this.rows("leases"),
    };
  }

  address(address: string): StoredRow | undefined {
    return this.rows("addresses").find((row) => row["address"] === address);
  }

  /** An HNS network that somebody else made. */
  foreignNetwork(changes: object = {}): string {
    const subnet = { IpAddressPrefix: "10.244.3.0/24", Routes: [{ NextHop: "10.244.3.1", DestinationPrefix: "0.0.0.0/0" }] };
    return createNetwork(this.model.world, ZERO_ID, {
      Name: NETWORK,
      Type: "L2Bridge",
      Ipams: [{ Type: "Static", Subnets: [subnet] }],
      ...changes,
    }).id;
  }

  /** An endpoint that somebody else made on the network. */
  foreignEndpoint(name: string, address: string, id: string = ZERO_ID): EndpointRecord {
    const network = [...this.model.world.networks.values()].find((entry) => entry.name === NETWORK);
    if (network === undefined) throw new Error("the network is not there yet");
    return createEndpoint(this.model.world, network.id, id, { Name: name, IpConfigurations: [{ IpAddress: address, PrefixLength: 24 }] });
  }

  close(): void {
    this.store.close();
  }

  async #sleep(ms: number): Promise<void> {
    if (ms !== LATE_MS && ms !== HOLD_MS) await this.clock.sleep(ms);
    else await new Promise<void>((open) => this.#gates.push({ ms, open }));
  }

  #machine(process: TestProcess): Machine {
    const { clock } = this;
    return {
      clock,
      nodeName: "node-1",
      architecture: "amd64",
      hnsStart: () => this.model.world.hnsStart,
      processes: {
        self: () => process.holder(clock.bootId()),
        isAlive: (holder) =>
          this.#processes.some((other) => other.isAlive && other.pid === holder.pid && other.holder("").startedAt === holder.startedAt),
      },
      enableForwarding: async (address) => {
        if (this.forwarding === "missing") return "missing";
        const backend = new ModelBackend(this.model, { pid: process.pid, sleep: (ms) => this.#sleep(ms) });
        await backend.host({ op: "set-forwarding", address: formatIp(address) }, { deadlineMs: 1_000 });
        return "enabled";
      },
    };
  }

  #logger(): Logger {
    const write =
      (level: string) =>
      (message: string, fields: LogFields = {}): void => {
        this.log.push({ level, message, fields });
      };
    return { error: write("error"), warn: write("warn"), info: write("info"), debug: write("debug") };
  }
}

/** The configuration every test starts from, read the way the program reads it. */
export function buildConfig(changes: Readonly<Record<string, unknown>> = {}): PluginConfig {
  return normalise(buildRaw(changes)).config;
}

export function buildRaw(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { ...BASE, ...changes, ipam: { type: "hns-cni", cidr: "10.244.3.0/24", ...(changes["ipam"] as object | undefined) } };
}

/** The same without an `ipam` section. */
export function buildHnsAddressedConfig(changes: Readonly<Record<string, unknown>> = {}): HnsAddressedConfig {
  return normaliseHnsAddressed({ ...BASE, ...changes }).config;
}

const BASE = {
  cniVersion: "1.1.0",
  name: NETWORK,
  type: "hns-cni",
  mode: "l2bridge",
  clusterCidrs: ["10.244.0.0/16"],
  serviceCidrs: ["10.96.0.0/12"],
  dns: { nameservers: ["10.96.0.10"], search: ["cluster.local"] },
};

export function upper(guid: Guid | string): string {
  const found = findGuid(guid);
  if (found === undefined) throw new Error(`no GUID: ${guid}`);
  return formatGuid(found);
}
