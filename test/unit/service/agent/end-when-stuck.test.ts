import { endWhenStuck, STUCK_EXIT_CODE } from "../../../../src/service/agent/end-when-stuck.ts";
import { silentLog } from "../../../support/silent-log.ts";

test.each([
  [2, []],
  [3, ["written", STUCK_EXIT_CODE]],
  [9, ["written", STUCK_EXIT_CODE]],
])("with %i calls stuck of at most 3 the process ends, once its log is written: %j", async (abandoned, codes) => {
  const ended: (number | string)[] = [];
  const lastWords = (): Promise<void> => {
    ended.push("written");
    return Promise.resolve();
  };
  await endWhenStuck({ abandonedCalls: () => abandoned, limit: 3, log: silentLog, lastWords, endProcess: (code) => ended.push(code) });
  expect(ended).toEqual(codes);
});
