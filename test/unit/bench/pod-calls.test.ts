import type { Launch, LaunchEnd } from "../../bench/launcher.ts";
import { beside, buildEmptyContestant, buildPairContestant, buildPodContestants, type PluginUnderTest } from "../../bench/pod-calls.ts";

const RESULT = JSON.stringify({ ips: [{ address: "10.0.0.2/24" }] });

class World {
  readonly launches: Launch[] = [];
  #pods = 0;
  stdout = RESULT;

  readonly launcher = {
    demand: (launch: Launch): Promise<LaunchEnd> => {
      this.launches.push(launch);
      return Promise.resolve({ code: 0, ms: this.launches.length, stdout: launch.env?.["COMMAND"] === "ADD" ? this.stdout : "" });
    },
  };

  plugin(name = "ours"): PluginUnderTest<string> {
    return {
      name,
      makePod: () => Promise.resolve(`pod-${++this.#pods}`),
      buildCall: (command, pod) => ({ program: name, env: { COMMAND: command, POD: pod } }),
    };
  }

  get calls(): string[] {
    return this.launches.map(({ env }) => `${env?.["COMMAND"] ?? ""} ${env?.["POD"] ?? ""}`);
  }
}

describe("ADD and DEL as contestants", () => {
  it("are of one pod a round, which is another one the next time", async () => {
    const world = new World();
    const { ADD, DEL } = buildPodContestants(world.launcher, world.plugin());
    expect([ADD.name, DEL.name]).toEqual(["ours ADD", "ours DEL"]);
    const values = [];
    for (const { measure } of [ADD, DEL, ADD, DEL]) values.push(await measure());
    expect(values).toEqual([1, 2, 3, 4]);
    expect(world.calls).toEqual(["ADD pod-1", "DEL pod-1", "ADD pod-2", "DEL pod-2"]);
  });

  it("are one contestant where they count together", async () => {
    const world = new World();
    const pair = buildPairContestant(world.launcher, world.plugin());
    expect(await pair.measure()).toBe(1 + 2);
    expect(world.calls).toEqual(["ADD pod-1", "DEL pod-1"]);
  });

  it.each(["{}", JSON.stringify({ ips: [] })])("refuse an ADD without an address: %s", async (stdout) => {
    const world = new World();
    world.stdout = stdout;
    await expect(buildPodContestants(world.launcher, world.plugin()).ADD.measure()).rejects.toThrow("gave no address");
    await expect(buildPairContestant(world.launcher, world.plugin()).measure()).rejects.toThrow("gave no address");
  });

  it("are compared with the rival's command of the same name, and judged where there is a goal", () => {
    const world = new World();
    const [ours, theirs] = [world.plugin(), world.plugin("theirs")].map((plugin) => buildPodContestants(world.launcher, plugin));
    if (ours === undefined || theirs === undefined) throw new Error("two are built");
    expect(beside(ours, theirs).ADD).toEqual({ ...ours.ADD, rival: "theirs ADD" });
    expect(beside(ours, theirs, 0.5).DEL).toEqual({ ...ours.DEL, rival: "theirs DEL", ratioGoal: 0.5 });
  });
});

it("an empty program gets nothing", async () => {
  const world = new World();
  expect(await buildEmptyContestant(world.launcher, "empty", "/empty").measure()).toBe(1);
  expect(world.launches).toEqual([{ program: "/empty" }]);
});
