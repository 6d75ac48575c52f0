import { PluginError } from "../../../../src/core/base/errors.ts";
import { AgentMetrics, type MetricSources } from "../../../../src/host/agent/metrics.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

const SOURCES: MetricSources = {
  addresses: () => new Map([["pods/10.244.3.0/24", { free: 1, assigned: 2, cooling: 3, quarantined: 4 }]]),
  attachments: () => new Map([["attached", 2]]),
  running: () => 5,
  abandoned: () => 6,
  breaker: () => "open",
};

function open(): { metrics: AgentMetrics; clock: FakeClock; text: () => Promise<string> } {
  const clock = new FakeClock({ autoAdvance: true });
  const metrics = new AgentMetrics(clock, SOURCES);
  return { metrics, clock, text: () => metrics.registry.metrics() };
}

describe("the agent's metrics", () => {
  test("gauges are read when they are asked for", async () => {
    const text = await open().text();
    for (const line of [
      'hns_cni_ipam_addresses{pool="pods/10.244.3.0/24",state="assigned"} 2',
      'hns_cni_ipam_addresses{pool="pods/10.244.3.0/24",state="quarantined"} 4',
      'hns_cni_attachments{phase="attached"} 2',
      "hns_cni_commands_running 5",
      "hns_cni_hcn_calls_abandoned 6",
      "hns_cni_breaker_open 1",
    ]) {
      expect(text).toContain(`${line}\n`);
    }
  });

  test("a command is counted with its outcome and time in seconds", async () => {
    const { metrics, text } = open();
    metrics.observeCommand("ADD", "ok", 40);
    metrics.observeCommand("ADD", "error", 2_000);
    expect(await text()).toContain('hns_cni_command_duration_seconds_bucket{le="0.05",command="ADD",outcome="ok"} 1');
    expect(await text()).toContain('hns_cni_command_duration_seconds_sum{command="ADD",outcome="error"} 2\n');
  });

  test.each([
    ["timeout", new PluginError("HNS_TIMEOUT", { message: "" })],
    ["unavailable", new PluginError("HNS_UNAVAILABLE", { message: "" })],
    ["refused", new PluginError("HNS_REFUSED", { message: "" })],
    ["error", new Error("bug")],
  ])("a call to HNS that ends in an error counts as %s, and the error goes on", async (outcome, error) => {
    const { metrics, clock, text } = open();
    const call = metrics.aroundCall("open network", () => clock.sleep(30).then(() => Promise.reject(error)), { deadlineMs: 1 });
    await expect(call).rejects.toBe(error);
    expect(await text()).toContain(`hns_cni_hcn_call_duration_seconds_sum{call="open network",outcome="${outcome}"} 0.03\n`);
  });

  test("what the engine tells of addresses is counted", async () => {
    const { metrics, text } = open();
    metrics.events.addressWaited(1_500);
    metrics.events.addressesRefused(2);
    expect(await text()).toContain("hns_cni_address_wait_seconds_sum 1.5\n");
    expect(await text()).toContain("hns_cni_address_conflicts_total 2\n");
  });
});
