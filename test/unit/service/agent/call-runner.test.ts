import { CallRunner } from "../../../../src/service/agent/call-runner.ts";
import { EngineFixture } from "../../../support/engine-fixture.ts";
import { silentLog } from "../../../support/silent-log.ts";

test("counts the calls of the runtime while they are under way, and no work of the agent's own", async () => {
  const node = new EngineFixture();
  const { backend, machine } = node.engine(node.spawn());
  const seen: number[] = [];
  const runner: CallRunner = new CallRunner({
    backend,
    machine,
    log: silentLog,
    events: { addressWaited: () => undefined, addressesRefused: () => undefined },
    foreign: () => undefined,
    folderOf: () => {
      throw new Error("no call here needs the state");
    },
    buildHandlers: () => {
      seen.push(runner.running);
      return {
        add: unasked,
        del: unasked,
        check: unasked,
        gc: unasked,
        status: unasked,
      };
    },
    childLog: () => silentLog,
  });
  await runner.runOwn(() => Promise.resolve(seen.push(runner.running)));
  await runner.run({ program: "hns-cni", env: { CNI_COMMAND: "VERSION" }, stdin: '{"cniVersion":"1.1.0"}' });
  seen.push(runner.running);
  expect(seen).toEqual([0, 1, 0]);
  node.close();
});

function unasked(): never {
  throw new Error("it was asked for VERSION");
}
