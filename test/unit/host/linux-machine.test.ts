import { PluginError } from "../../../src/core/base/errors.ts";
import { holderOfCall } from "../../../src/core/engine/lease.ts";
import { openLinuxMachine } from "../../../src/host/linux/machine.ts";

test("a process is alive as itself and as every call of it, and as none that began at another time", () => {
  const { processes } = openLinuxMachine(() => {
    throw new PluginError("HNS_UNAVAILABLE", { message: "there is no HNS here" });
  });
  const self = processes.self();
  expect(processes.isAlive(self)).toBe(true);
  expect(processes.isAlive(holderOfCall(self, 3))).toBe(true);
  for (const startedAt of ["", "1", `1#3`, `${self.startedAt}0#3`]) expect(processes.isAlive({ ...self, startedAt })).toBe(false);
});
