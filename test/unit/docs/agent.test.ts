/** What is written of the agent's configuration and metrics, in step with the agent. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { replaceAgentKeys } from "../../../scripts/docs/agent.ts";
import { AgentMetrics } from "../../../src/host/agent/metrics.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const { registry } = new AgentMetrics(new FakeClock(), {
  addresses: () => new Map(),
  attachments: () => new Map(),
  running: () => 0,
  abandoned: () => 0,
  breaker: () => "closed",
});

/** Name, type, labels and help of each metric, as the table of docs/metrics.md writes them. */
function listMetrics(): string[][] {
  return registry.getMetricsAsArray().map((metric) => {
    // prom-client keeps its labels without saying so in its types.
    const { labelNames } = metric as unknown as { readonly labelNames: readonly string[] };
    const { name, type, help } = metric as unknown as { readonly name: string; readonly type: string; readonly help: string };
    return [`\`${name}\``, type, labelNames.join(", "), help];
  });
}

/** The series that a metric is seen as: those of a histogram have three names. */
function listSeries(): Set<string> {
  return new Set(
    listMetrics().flatMap(([quoted = "", type]) => {
      const name = quoted.replaceAll("`", "");
      return type === "histogram" ? ["_bucket", "_sum", "_count"].map((end) => name + end) : [name];
    }),
  );
}

function used(text: string): string[] {
  return [...new Set(text.match(/\bhns_cni_\w+/g) ?? [])];
}

test("the table of docs/agent.md is the schema's", () => {
  const page = readFileSync("docs/agent.md", "utf8");
  expect(replaceAgentKeys(page)).toBe(page);
  expect(page).toContain("| `hns.abandonedLimit` | integer, 1 to 1000 | `12` |");
  expect(() => replaceAgentKeys("# Nothing")).toThrow("docs/agent.md needs the lines");
});

test("docs/metrics.md lists every metric of the agent, and no other", () => {
  const page = readFileSync("docs/metrics.md", "utf8");
  const rows = page.split("\n").filter((line) => line.startsWith("| `hns_cni_"));
  expect(
    rows
      .map((row) =>
        row
          .split("|")
          .slice(1, 5)
          .map((cell) => cell.trim()),
      )
      .sort(),
  ).toEqual(listMetrics().sort());
});

test("every alert is about series that exist, and says what to do", () => {
  const text = readFileSync("installer/monitoring/alerts.yaml", "utf8");
  const { groups } = parse(text) as { groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[] };
  const rules = groups.flatMap((group) => group.rules);
  expect(rules.length).toBeGreaterThan(5);
  for (const { alert, expr, annotations } of rules) {
    expect({ alert, unknown: used(expr).filter((name) => !listSeries().has(name)), count: used(expr).length > 0 }).toEqual({
      alert,
      unknown: [],
      count: true,
    });
    expect(Object.keys(annotations)).toEqual(["summary", "action"]);
  }
});

test("every panel of the dashboard draws series that exist, and every metric is on it", () => {
  const text = readFileSync("installer/monitoring/grafana-dashboard.json", "utf8");
  const { panels } = JSON.parse(text) as { panels: { title: string; targets: { expr: string }[] }[] };
  for (const { title, targets } of panels) {
    const names = targets.flatMap(({ expr }) => used(expr));
    expect({ title, unknown: names.filter((name) => !listSeries().has(name)) }).toEqual({ title, unknown: [] });
    expect(names.length).toBeGreaterThan(0);
  }
  const missing = listMetrics().filter(([quoted = ""]) => !text.includes(quoted.replaceAll("`", "")));
  expect(missing).toEqual([]);
});

test.each(["installer/monitoring/alerts.yaml", "installer/monitoring/grafana-dashboard.json"])(
  "labels in %s are those of the metrics",
  (file) => {
    const known = new Map(listMetrics().map(([name = "", , labels = ""]) => [name.replaceAll("`", ""), labels.split(", ")]));
    for (const [, name = "", matchers = ""] of readFileSync(file, "utf8")
      .replaceAll('\\"', '"')
      .matchAll(/\b(hns_cni_\w+)\{([^}]*)\}/g)) {
      const labels = [...(known.get(name.replace(/_(bucket|sum|count)$/, "")) ?? known.get(name) ?? []), "instance", "le"];
      const wrong = matchers
        .split(",")
        .map((matcher) => /^\s*(\w+)/.exec(matcher)?.[1] ?? "")
        .filter((label) => !labels.includes(label));
      expect({ name, wrong }).toEqual({ name, wrong: [] });
    }
  },
);
