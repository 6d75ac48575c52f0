/** The picture in docs/ipam.md. HNS_CNI_WRITE=1 draws it anew. */
import { readFileSync, writeFileSync } from "node:fs";
import { renderDay, traceDay } from "../../support/warm-day.ts";

const trace = traceDay(7);

test("docs/warm-day.svg shows what the formula gives", () => {
  if (process.env["HNS_CNI_WRITE"] === "1") writeFileSync("docs/warm-day.svg", renderDay(trace));
  expect(readFileSync("docs/warm-day.svg", "utf8")).toBe(renderDay(trace));
});

test("over the day there are always enough addresses, and the blocks change with the jobs and not with the restarts", () => {
  expect(trace.every(({ held, owned }) => owned >= held + 8)).toBe(true);
  const changes = trace.filter(({ owned }, index) => index > 0 && owned !== trace[index - 1]?.owned).length;
  const moves = trace.filter(({ held }, index) => index > 0 && held !== trace[index - 1]?.held).length;
  expect(moves).toBeGreaterThan(1_000);
  expect(changes).toBeLessThan(60);
});
