import { endWhenStuck, STUCK_EXIT_CODE } from "../../../../src/service/agent/end-when-stuck.ts";
import { silentLog } from "../../../support/silent-log.ts";

test.each([
  [2, []],
  [3, [STUCK_EXIT_CODE]],
  [9, [STUCK_EXIT_CODE]],
])("with %i calls stuck of at most 3 the process ends: %j", (abandoned, codes) => {
  const ended: number[] = [];
  endWhenStuck({ abandonedCalls: () => abandoned, limit: 3, log: silentLog, endProcess: (code) => ended.push(code) });
  expect(ended).toEqual(codes);
});
