import { countParallelCalls } from "../../../../src/service/agent/threads.ts";

test.each([
  ["32", { isWindows: false, isService: false }, 31, "the disk"],
  ["32", { isWindows: true, isService: false }, 30, "the disk and the event log"],
  ["32", { isWindows: true, isService: true }, 29, "the disk, the event log and the service manager's dispatcher"],
  ["1", { isWindows: false, isService: false }, 1, "nothing: HNS must be asked"],
  ["none", { isWindows: true, isService: true }, 1, "nothing: HNS must be asked"],
])("of %s threads with %j %i are for HNS: the others are for %s", (threads, program, expected) => {
  expect(countParallelCalls(threads, program)).toBe(expected);
});
