import { installAgent, type LogArguments, showAgent, showLog, startAgent, stopAgent, uninstallAgent } from "../../../src/cli/agent.ts";
import type { AgentService, InstallOptions } from "../../../src/cli/world.ts";
import { STATUS } from "./agent-status.ts";
import { attempt } from "./attempt.ts";
import { FakeWorld } from "./fake-world.ts";

class FakeService implements AgentService {
  readonly name = "hns-cni";
  readonly done: unknown[] = [];
  isThere = true;
  install = (options: InstallOptions): "installed" => {
    this.done.push(options);
    return "installed";
  };
  uninstall = (): Promise<boolean> => Promise.resolve(this.isThere);
  start = (): void => void this.done.push("start");
  stop = (): Promise<void> => Promise.resolve(void this.done.push("stop"));
  state = (): string => "running";
}

const LOG = "C:\\ProgramData\\hns-cni\\agent.log";

const LOGS: LogArguments = { follow: false, lines: "50", stateDir: undefined, output: "text" };

function windows(files: Readonly<Record<string, string>> = {}): { world: FakeWorld; service: FakeService } {
  const world = new FakeWorld(files);
  const service = new FakeService();
  world.service = service;
  return { world, service };
}

describe("hns-cni agent", () => {
  test("install hands configuration and variables on", async () => {
    const { world, service } = windows({ "C:\\a.json": "{}" });
    expect(await attempt(world, () => installAgent(world, "C:\\a.json", ["A=1", "B=x y"]))).toBe(0);
    expect(service.done).toEqual([{ config: "C:\\a.json", variables: ["A=1", "B=x y"] }]);
    expect(world.out).toContain("is installed");
  });

  test.each([
    ["C:\\none.json", [], "there is no such file"],
    [undefined, ["A"], "it is not NAME=value"],
  ])("install with %j and %j is refused, and nothing is installed", async (config, variables, why) => {
    const { world, service } = windows();
    expect(await attempt(world, () => installAgent(world, config, variables))).toBe(1);
    expect([service.done, world.error]).toEqual([[], expect.stringContaining(why)]);
  });

  test("start, stop and uninstall do so", async () => {
    const { world, service } = windows();
    for (const work of [startAgent, stopAgent, uninstallAgent]) expect(await attempt(world, work)).toBe(0);
    expect(service.done).toEqual(["start", "stop"]);
    service.isThere = false;
    await attempt(world, uninstallAgent);
    expect(world.out).toContain("the agent was no service\n");
  });

  test("where there is no service manager it says what to do", async () => {
    const world = new FakeWorld();
    expect(await attempt(world, startAgent)).toBe(1);
    expect(world.error).toContain("only Windows has its service manager\nrun hns-cni agent in the foreground");
  });

  test("status tells service and agent, and by its exit code whether it is ready", async () => {
    const { world } = windows();
    expect(await showAgent(world, "text")).toBe(1);
    expect(world.out).toBe("service  running\nagent    none listens\n");
    world.out = "";
    world.answers.set("status", STATUS);
    expect(await showAgent(world, "text")).toBe(0);
    expect(world.out).toBe(
      "service  running\nagent    ready\nprocess  4711, version 1.2.3, since 2026-01-02T03:04:05.000Z\n" +
        "calls    2 under way, 1 stuck in HNS; breaker closed\n",
    );
    world.answers.set("status", { ...STATUS, isReady: false, reason: "starting" });
    expect(await showAgent(world, "json")).toBe(1);
  });

  test("logs prints the last lines for people, goes on with new ones, and leaves JSON as it is", async () => {
    const line = (message: string): string => JSON.stringify({ time: "T", level: "info", message, pid: 7, ms: 3, error: { code: "X" } });
    const { world } = windows({ [LOG]: [line("one"), line("two"), line("three")].join("\n") + "\n" });
    world.coming.push(`${line("four")}\nno json\n`);
    expect(await showLog(world, { ...LOGS, lines: "2", follow: true })).toBe(0);
    const shown = ["two", "three", "four"].map((message) => `T  info   ${message}  ms=3  error={"code":"X"}\n`).join("");
    expect(world.out).toBe(`${shown}no json\n`);
    world.out = "";
    await showLog(world, { ...LOGS, lines: "1", output: "json" });
    expect(world.out).toBe(`${line("three")}\n`);
  });

  test("logs without a log names the place", async () => {
    const { world } = windows();
    expect(await attempt(world, () => showLog(world, LOGS))).toBe(1);
    expect(world.error).toContain(LOG);
  });
});
