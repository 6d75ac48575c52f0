import { recent } from "../../../src/host/exec/recent.ts";

test("a value is asked for again once it is older than its age, and not before", () => {
  let now = 0;
  let asked = 0;
  const read = recent(
    1_000,
    () => ++asked,
    () => now,
  );
  expect([read(), read()]).toEqual([1, 1]);
  now = 1_000;
  expect(read()).toBe(1);
  now = 1_001;
  expect([read(), read()]).toEqual([2, 2]);
});
