import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PluginError } from "../../../src/core/base/errors.ts";
import type { StateStore } from "../../../src/core/engine/store.ts";
import { StateFolder } from "../../../src/host/state/state-folder.ts";
import { NETWORK } from "../../contract/state-store.contract.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { silentLog } from "../../support/silent-log.ts";

describe("the state of a program that stays", () => {
  let stateDir: string;
  let folder: StateFolder;
  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), "hns-cni-folder-"));
    folder = new StateFolder({ stateDir, log: silentLog, clock: new FakeClock() });
  });
  afterEach(() => {
    folder.close();
    rmSync(stateDir, { recursive: true, force: true });
  });

  const damaged = (): PluginError => new PluginError("STATE_DAMAGED", { message: "damaged" });
  const asides = (): string[] => readdirSync(stateDir).filter((name) => name.includes(".damaged-"));
  const names = (store: StateStore): (string | undefined)[] => [store.read((tx) => tx.findNetwork("pods")?.name)];

  test("is opened once and keeps what was written", async () => {
    const stores = new Set<StateStore>();
    await folder.run((store) => {
      stores.add(store);
      store.transaction((tx) => tx.putNetwork(NETWORK));
      return Promise.resolve();
    });
    await folder.run((store) => Promise.resolve(stores.add(store)));
    expect(stores.size).toBe(1);
    await folder.flush();
    folder.close();
    expect(await folder.run((store) => Promise.resolve(names(store)))).toEqual(["pods"]);
  });

  test("waits for the disk after each commit, and neither after what only reads nor after what was rolled back", async () => {
    let flushes = 0;
    const sync = (): Promise<void> => {
      flushes++;
      return Promise.resolve();
    };
    const counted = new StateFolder({ stateDir, log: silentLog, clock: new FakeClock(), sync });
    const flushesAfter = async (work: (store: StateStore) => void): Promise<number> => {
      const before = flushes;
      await counted.run((store) => {
        work(store);
        return Promise.resolve();
      });
      await counted.flush();
      return flushes - before;
    };
    expect(await flushesAfter(names)).toBe(1); // the file is new
    expect(await flushesAfter((store) => store.transaction((tx) => tx.putNetwork(NETWORK)))).toBe(1);
    expect(await flushesAfter(names)).toBe(0);
    const fail = (): never => {
      throw new Error("no");
    };
    await expect(flushesAfter((store) => void store.transaction(fail))).rejects.toThrow("no");
    expect(await flushesAfter(names)).toBe(0);
    expect(await flushesAfter((store) => store.transaction((tx) => tx.putNetwork({ ...NETWORK, name: "more" })))).toBe(1);
    counted.close();
  });

  test("that is damaged is set aside, and the work runs once more on a new one", async () => {
    let runs = 0;
    const found = await folder.run((store) => {
      if (++runs === 1) {
        store.transaction((tx) => tx.putNetwork(NETWORK));
        throw damaged();
      }
      return Promise.resolve(names(store));
    });
    expect([runs, found]).toEqual([2, [undefined]]);
    expect(asides()).toHaveLength(1);
  });

  test("work that is damaged twice fails, rather than setting one state after another aside", async () => {
    await expect(folder.run(() => Promise.reject(damaged()))).rejects.toMatchObject({ code: "STATE_DAMAGED" });
    expect(asides()).toHaveLength(1);
  });

  test("others that were at work then are done once more on the new state, which is set aside no second time", async () => {
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const stores: StateStore[] = [];
    const other = folder.run(async (store) => {
      stores.push(store);
      await held;
      return names(store); // the one they have was closed meanwhile
    });
    await folder.run((store) => (stores.push(store) === 2 ? Promise.reject(damaged()) : Promise.resolve()));
    goOn();
    expect(await other).toEqual([undefined]);
    expect(new Set(stores).size).toBe(2);
    expect(asides()).toHaveLength(1);
  });

  test("any other failure goes on to the caller, and nothing is set aside", async () => {
    let runs = 0;
    const failing = folder.run(() => {
      runs++;
      return Promise.reject(new PluginError("HNS_TIMEOUT", { message: "late" }));
    });
    await expect(failing).rejects.toMatchObject({ code: "HNS_TIMEOUT" });
    expect([runs, asides()]).toEqual([1, []]);
  });

  test("a file that is no database is damage found at opening", async () => {
    writeFileSync(join(stateDir, "state.db"), Buffer.alloc(8192, "x"));
    expect(await folder.run((store) => Promise.resolve(names(store)))).toEqual([undefined]);
    expect(asides()).toHaveLength(1);
  });

  test("inspecting opens nothing, and an unreadable state is no error", async () => {
    expect(folder.inspect((tx) => tx.listLeases())).toBeUndefined();
    expect(readdirSync(stateDir)).toEqual([]);
    await folder.run(() => Promise.resolve());
    expect(folder.inspect((tx) => tx.listLeases())).toEqual([]);
    expect(folder.inspect(busy)).toBeUndefined();
  });
});

function busy(): string[] {
  throw new PluginError("STATE_FAILURE", { message: "busy" });
}
