/** HNS's service callback over the emulator's library: notifications come from a thread that is none of Node's. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openFfi } from "../../../src/host/ffi/library.ts";
import { type HnsNotification, ServiceCallback } from "../../../src/host/ffi/service-callback.ts";
import { openLinuxLibraries } from "../../../src/host/linux/libraries.ts";
import { EmulatorClient } from "../../emulator/client.ts";
import { errorWith } from "../../support/matchers.ts";
import { emulatorLibrary } from "../../support/paths.ts";
import { describeUnless } from "../../support/skip.ts";

const KOFFI = join(process.cwd(), "node_modules/@koromix/koffi-linux-x64/linux_x64/koffi.node");
const MS = 20_000;
const NETWORK = { Name: "n", Type: "NAT" };

describeUnless(
  existsSync(emulatorLibrary) ? undefined : "the emulator's library is not built: npm run package",
  "the service callback",
  () => {
    let emulator: EmulatorClient;
    let heard: HnsNotification[];
    let wake: () => void;
    let callback: ServiceCallback;

    beforeAll(async () => {
      emulator = await EmulatorClient.start();
      const ffi = openFfi(KOFFI);
      const text = (value: string): Buffer => Buffer.from(`${value}\0`, "utf8");
      // The library reads the real environment, which process.env of a test is only a copy of.
      const setenv = ffi.load("libc.so.6").find("setenv", "int32", ["bytes", "bytes", "int32"]);
      setenv?.call(text("HNS_EMULATOR_ADDRESS"), text(emulator.address), 1);
      heard = [];
      wake = () => undefined;
      callback = new ServiceCallback(
        () => openLinuxLibraries(ffi, emulatorLibrary),
        (notification) => {
          heard.push(notification);
          wake();
        },
      );
    });
    beforeEach(async () => {
      await emulator.reset();
      heard = [];
    });
    afterEach(() => callback.unregister(MS));
    afterAll(() => emulator.close());

    async function hear(count: number): Promise<void> {
      while (heard.length < count) await new Promise<void>((resolve) => (wake = resolve));
    }

    test("tells what happens to objects, by name and with its data, and that HNS goes away", async () => {
      await callback.register(MS);
      const { ID } = await emulator.createNetwork(NETWORK);
      await emulator.restart();
      await hear(3);
      expect(heard.map(({ name, isDisconnect }) => [name, isDisconnect])).toEqual([
        ["network pre-create", false],
        ["network create", false],
        ["service disconnect", true],
      ]);
      expect(JSON.parse(heard[1]?.data ?? "")).toEqual({ ID });
    });

    test("a registration takes the place of the one before, also of one that is void", async () => {
      await callback.register(MS);
      await emulator.restart();
      await hear(1);
      await callback.register(MS);
      expect(await emulator.handles()).toMatchObject([{ kind: "callback" }]);
      await callback.register(MS);
      expect(await emulator.handles()).toMatchObject([{ kind: "callback" }]);
      heard = [];
      await emulator.restart();
      await hear(1);
      await emulator.createNetwork(NETWORK);
      await hear(3);
      expect(heard.map(({ name }) => name)).toEqual(["service disconnect", "network pre-create", "network create"]);
    });

    test("nothing comes after its end, and nothing is left open", async () => {
      await callback.register(MS);
      await callback.unregister(MS);
      await emulator.createNetwork(NETWORK);
      await callback.register(MS);
      await emulator.restart();
      await hear(1);
      expect(heard.map(({ name }) => name)).toEqual(["service disconnect"]);
      await callback.unregister(MS);
      expect(await emulator.handles()).toEqual([]);
    });

    test("a refusal is an error, and an HNS that does not answer is one in time; what it registers later is taken back", async () => {
      await emulator.addFault({ call: "HcnRegisterServiceCallback", kind: "fail", hresult: 0x800706ba, nth: 1 });
      await expect(callback.register(MS)).rejects.toThrow(errorWith({ code: "HNS_UNAVAILABLE" }));
      await emulator.clearFaults();
      await emulator.addFault({ call: "HcnRegisterServiceCallback", kind: "late", ms: 300, nth: 1 });
      await expect(callback.register(50)).rejects.toThrow(errorWith({ code: "HNS_TIMEOUT" }));
      expect(callback.abandonedCalls).toBe(1);
      while (callback.abandonedCalls > 0 || (await emulator.handles()).length > 0) await emulator.status();
      expect(heard).toEqual([]);
      expect(Object.keys(await emulator.counts())).toContain("HcnUnregisterServiceCallback");
    });
  },
);
