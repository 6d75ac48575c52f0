import type { Contestant, Series } from "../../bench/benchmark.ts";
import { renderResult, replaceSection } from "../../bench/markdown.ts";
import { renderPlot } from "../../bench/plot.ts";
import { buildTable } from "../../bench/result.ts";
import { runRounds } from "../../bench/rounds.ts";

const machine = { cpu: "Some CPU", cores: 2, memoryGiB: 4, kernel: "Linux 6.1", node: "v24.0.0", wine: "wine-8.0" };

describe("runRounds", () => {
  it("measures the contestants in turn and throws the warm-up's values away", async () => {
    const order: string[] = [];
    const series = makeSeries({ warmUp: 1, contestants: [counting("a", order), counting("b", order)] });
    const measurements = await runRounds(series, 2);
    expect(order).toEqual(["a", "b", "a", "b", "a", "b"]);
    expect([...measurements]).toEqual([
      ["a", [3, 5]],
      ["b", [4, 6]],
    ]);
  });

  it("names the contestant that failed", async () => {
    const broken = { name: "b", measure: () => Promise.reject(new Error("exit code 1")) };
    await expect(runRounds(makeSeries({ contestants: [broken] }), 1)).rejects.toThrow("Some series: b: exit code 1");
  });
});

describe("a table", () => {
  const contestants = [
    { name: "floor", measure: never },
    { name: "ours", measure: never, rival: "floor", goal: 25 },
    { name: "theirs", measure: never, rival: "floor", goal: 25 },
  ];
  const measurements = new Map([
    ["floor", [10, 20, 10]],
    ["ours", [20, 40, 25]],
    ["theirs", [30, 40, 40]],
  ]);
  const table = buildTable(makeSeries({ contestants }), measurements);

  it("has the ratio to the rival and whether the goal is met", () => {
    expect(table.rounds).toBe(3);
    expect(table.rows.map(({ ratio, goal }) => ({ ratio, goal }))).toEqual([
      { ratio: undefined, goal: undefined },
      { ratio: { rival: "floor", value: 2 }, goal: { limit: 25, isMet: true } },
      { ratio: { rival: "floor", value: 3 }, goal: { limit: 25, isMet: false } },
    ]);
  });

  it("judges the ratio where that has the goal", () => {
    const judge = (ratioGoal: number): unknown =>
      buildTable(makeSeries({ contestants: [{ name: "ours", measure: never, rival: "floor", ratioGoal }] }), measurements).rows[0]?.goal;
    expect(judge(2)).toEqual({ limit: 2, isMet: true, isRatio: true });
    expect(judge(1.9)).toEqual({ limit: 1.9, isMet: false, isRatio: true });
  });

  it("becomes a Markdown table with the machine and what was left out", () => {
    const omissions = [{ what: "a rival", reason: "it is not built" }];
    const text = renderResult({ name: "some", notes: ["A note."], machine, tables: [table], omissions });
    expect(text).toBe(`- A note.
- Not measured: a rival (it is not built).
- Machine: Some CPU, 2 cores, 4 GiB, Linux 6.1, Node v24.0.0, wine-8.0.

**Some series** (3 rounds)

|  | median, ms | minimum | spread | ratio | goal |
| --- | ---: | ---: | ---: | ---: | ---: |
| floor | 10.0 | 10.0 | 5.00 |  |  |
| ours | 25.0 | 20.0 | 10.0 | 2.00 × floor | ≤ 25: met |
| theirs | 40.0 | 30.0 | 5.00 | 3.00 × floor | ≤ 25: missed |
`);
  });

  it("becomes an SVG chart that names every contestant", () => {
    const svg = renderPlot(table);
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    for (const text of ["Some series", "floor", "ours", "theirs"]) expect(svg).toContain(`>${text}</text>`);
  });
});

describe("replaceSection", () => {
  it("replaces what stands between the markers and nothing else", () => {
    const page = "before\n<!-- bench:a -->\nold\n<!-- /bench:a -->\nafter\n<!-- bench:b -->\n<!-- /bench:b -->\n";
    expect(replaceSection(page, "a", "new\n")).toBe(page.replace("old", "new"));
    expect(replaceSection(page, "b", "new")).toContain("<!-- bench:b -->\nnew\n<!-- /bench:b -->");
  });

  it.each(["none", "<!-- bench:a -->", "<!-- /bench:a -->\n<!-- bench:a -->"])("refuses a page without the pair: %s", (page) => {
    expect(() => replaceSection(page, "a", "new")).toThrow("exactly one pair");
  });
});

function makeSeries(of: Partial<Series> & Pick<Series, "contestants">): Series {
  return { title: "Some series", unit: "ms", warmUp: 0, ...of };
}

function counting(name: string, order: string[]): Contestant {
  return { name, measure: () => Promise.resolve(order.push(name)) };
}

function never(): Promise<number> {
  return Promise.reject(new Error("not to be called"));
}
