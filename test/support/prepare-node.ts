/** A node on which `prepare` runs in this process: HNS and machine of the emulator's model, a snapshot file in memory. */
import type { AttachableConfig } from "../../src/core/config/plugin-config.ts";
import type { PrepareReport } from "../../src/core/engine/prepare/options.ts";
import { prepareNetwork } from "../../src/core/engine/prepare/prepare.ts";
import type { SnapshotFile } from "../../src/core/engine/prepare/snapshot.ts";
import type { UplinkAccess } from "../../src/core/engine/prepare/uplink.ts";
import { openEmulatedUplinks } from "../../src/host/linux/uplinks.ts";
import { KilledError } from "../emulator/model-backend.ts";
import { type EmulatedUplink, listUplinks } from "../emulator/model/uplinks.ts";
import type { Adapter, Settings } from "../emulator/model/world.ts";
import { EngineFixture } from "./engine-fixture.ts";

export const CARD: Adapter = {
  name: "Ethernet",
  address: "10.0.0.4/24",
  gateway: "10.0.0.1",
  routes: [{ destination: "169.254.169.254/32", nextHop: "10.0.0.1" }],
  dns: ["10.0.0.53"],
};
export const SWITCH = "vEthernet (Ethernet)";

export interface RunChanges {
  readonly config?: AttachableConfig;
  readonly timeoutMs?: number;
  readonly dryRun?: boolean;
  /** From this line of progress on, the user wants it to end. */
  readonly interruptAt?: string;
}

/** What befalls the step of a number (from 1) among the changes and questions to the machine and the writes to the file. */
export interface StepFault {
  readonly at: number;
  readonly kind: "kill-before" | "kill-after" | "fail";
}

export class PrepareNode {
  readonly engine: EngineFixture;
  snapshot: string | undefined;
  lines: string[] = [];
  /** The steps of the last run, by name. */
  steps: string[] = [];
  stepFault: StepFault | undefined;

  constructor(settings: Partial<Settings> = {}, card: Partial<Adapter> = {}) {
    this.engine = new EngineFixture({ settings: { adapters: [{ ...CARD, ...card }], ...settings } });
  }

  set(settings: Partial<Settings>): void {
    this.engine.model.world.settings = { ...this.engine.model.world.settings, ...settings };
  }

  /** What the machine has now, as the emulator tells it. */
  uplinks(): EmulatedUplink[] {
    return listUplinks(this.engine.model.world);
  }

  carrier(): EmulatedUplink | undefined {
    return this.uplinks().find(({ name }) => name === SWITCH);
  }

  networks(): string[] {
    return [...this.engine.model.world.networks.values()].map(({ name }) => name);
  }

  prepare({ interruptAt, ...changes }: RunChanges = {}): Promise<PrepareReport> {
    const process = this.engine.spawn();
    let die: (reason: KilledError) => void = () => undefined;
    const death = new Promise<never>((_, reject) => (die = reject));
    death.catch(() => undefined);
    let isAlive = true;
    const kill = (step: string): KilledError => {
      isAlive = false;
      process.isAlive = false;
      const error = new KilledError(step);
      die(error);
      return error;
    };
    this.steps = [];
    this.lines = [];
    const step = <T>(name: string, work: () => T): T => {
      if (!isAlive || !process.isAlive) throw new KilledError(name);
      this.steps.push(name);
      const { at, kind } = this.stepFault ?? { at: 0, kind: "fail" };
      if (at !== this.steps.length) return work();
      if (kind === "fail") throw new Error(`${name} failed`);
      if (kind === "kill-before") throw kill(name);
      work();
      throw kill(name);
    };
    const never = async <T>(work: () => Promise<T>): Promise<T> => {
      try {
        return await work();
      } catch (thrown) {
        if (!(thrown instanceof KilledError)) throw thrown;
        return await new Promise<never>(() => undefined);
      }
    };
    const own = this.#machine();
    const uplinks: UplinkAccess = {
      list: () => never(() => step("list", () => own.list())),
      addAddress: (...args) => never(() => step("add address", () => own.addAddress(...args))),
      addRoute: (...args) => never(() => step("add route", () => own.addRoute(...args))),
      setDns: (...args) => never(() => step("set dns", () => own.setDns(...args))),
      reaches: (...args) => never(() => step("reaches", () => own.reaches(...args))),
    };
    const file: SnapshotFile = {
      path: "/state/uplink-snapshot.json",
      read: () => this.snapshot,
      write: (text) => step("write", () => void (this.snapshot = text)),
      remove: () => step("remove", () => void (this.snapshot = undefined)),
    };
    const work = (): Promise<PrepareReport> =>
      prepareNetwork({
        engine: this.engine.engine(process),
        config: this.engine.config,
        uplinks,
        file,
        timeoutMs: 120_000,
        dryRun: false,
        tell: (line) => void this.lines.push(line),
        isInterrupted: () => interruptAt !== undefined && this.lines.some((line) => line.includes(interruptAt)),
        ...changes,
      });
    return process.run(() => Promise.race([work(), death]));
  }

  #machine(): UplinkAccess {
    return openEmulatedUplinks((request) => {
      const { hresult, output } = this.engine.model.call("HnsEmulatorHost", [JSON.stringify(request)], { pid: 1 });
      return { hresult, answer: JSON.parse(output ?? "null") };
    });
  }

  close(): void {
    this.engine.close();
  }
}
