/** Many processes that take and give back addresses of one pool at once: promise 6 as the callers themselves see it. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findInconsistencies } from "../../src/core/ipam/consistency.ts";
import { type CrowdOptions, type CrowdReport, callProgram, runCallers, runWorkers } from "../support/address-crowd.ts";
import { count, findOpen, findShared, type LogEntry } from "../support/address-log.ts";
import { type AddressCalls, buildCrowdInput, withAddresses } from "../support/address-process.ts";
import { isLong } from "../support/crash-workers.ts";
import { packagedReason, runPackaged } from "../support/packaged.ts";
import { describeUnless } from "../support/skip.ts";

jest.setTimeout(isLong ? 3_600_000 : 300_000);

const seed = Number(process.env["HNS_CNI_SEED"] ?? "1");
/** What Windows keeps of the range. */
const RESERVED = 4;
/** Most of the addresses are held at the busiest moment, so each goes from hand to hand many times. */
const small = { cidr: "10.1.0.0/27", size: 32 };
const large = { cidr: "10.1.0.0/24", size: 256 };

let folder: string;
let stateDir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hns-cni-crowd-"));
  stateDir = join(folder, "state");
  mkdirSync(join(folder, "logs"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("what callers noted", () => {
  const first: LogEntry[] = [
    { at: 1, what: "asking", container: "a" },
    { at: 2, what: "got", container: "a", address: "10.1.0.3" },
  ];
  const second = (at: number): LogEntry => ({ at, what: "got", container: "b", address: "10.1.0.3" });

  test("tells of an address that two had at once, also when the first was killed", () => {
    const given: LogEntry = { at: 5, what: "giving", container: "a" };
    expect(findShared([...first, given, second(4)])).toEqual(["10.1.0.3 was given to b while a had it"]);
    expect(findShared([...first, second(4_000)])).toHaveLength(1);
    expect(findShared([...first, given, second(5)])).toEqual([]);
  });

  test("tells of containers that may have an address still", () => {
    const giving: LogEntry = { at: 5, what: "giving", container: "a" };
    expect(findOpen(first)).toEqual(["a"]);
    expect(findOpen([...first, giving])).toEqual(["a"]);
    expect(findOpen([...first, giving, { at: 6, what: "gave", container: "a" }])).toEqual([]);
  });
});

describe("promise 6: processes that live long", () => {
  const crowd = isLong ? { callers: 64, rounds: 200, range: large, mostHeld: 3 } : { callers: 8, rounds: 50, range: small, mostHeld: 5 };

  test.each([0, 0.5])("share the addresses of one state, %d of them killed", async (killed) => {
    const start = performance.now();
    const report = await runWorkers(buildOptions(crowd, killed));
    tell("processes", crowd, report, performance.now() - start);
    expectApart(report, { ...crowd, killed });
    await withAddresses(buildCrowdInput(stateDir, crowd.range.cidr), async (calls) => {
      await calls.gc([]);
      await expectNothingLost(calls, crowd.range.size - RESERVED);
    });
  });
});

describeUnless(packagedReason(), "promise 6: calls of the packaged program", () => {
  const crowd = isLong ? { callers: 64, rounds: 200, range: large, mostHeld: 3 } : { callers: 8, rounds: 10, range: small, mostHeld: 5 };

  test.each([0, 0.2])("share the addresses of one state, %d of them killed", async (killed) => {
    const start = performance.now();
    const report = await runCallers(buildOptions(crowd, killed));
    tell("packaged", crowd, report, performance.now() - start);
    expectApart(report, { ...crowd, killed });
    const input = buildCrowdInput(stateDir, crowd.range.cidr);
    expect(await callProgram({ ...input, "cni.dev/valid-attachments": [], cniVersion: "1.1.0" }, { command: "GC" })).toMatchObject({
      code: 0,
      stdout: "",
    });
    expect(await runPackaged({ args: ["ipam", "check", "--state-dir", stateDir] })).toMatchObject({ code: 0, stderr: "" });
    await withAddresses(input, (calls) => expectNothingLost(calls, crowd.range.size - RESERVED));
  });
});

interface Crowd {
  readonly callers: number;
  readonly rounds: number;
  readonly range: { readonly cidr: string };
  readonly mostHeld: number;
}

function buildOptions({ callers, rounds, range, mostHeld }: Crowd, killed: number): CrowdOptions {
  return { stateDir, logs: join(folder, "logs"), cidr: range.cidr, callers, rounds, mostHeld, killed, seed };
}

/** Nobody had an address that another had, everybody did all that was asked, and nothing failed. */
function expectApart(report: CrowdReport, { callers, rounds, killed }: Crowd & { readonly killed: number }): void {
  expect(findShared(report.entries)).toEqual([]);
  expect(report.entries.filter(({ what }) => what === "failed")).toEqual([]);
  expect(count(report.entries, "got")).toBeGreaterThanOrEqual(callers * rounds);
  if (killed > 0) expect(report.kills).toBeGreaterThan(0);
  else expect({ kills: report.kills, left: report.left }).toEqual({ kills: 0, left: [] });
}

/** The tables agree, nobody holds anything, and every address of the range can be had once more. */
async function expectNothingLost({ store, add }: AddressCalls, usable: number): Promise<void> {
  expect(store.read(findInconsistencies)).toEqual([]);
  const [pool] = store.read((tx) => tx.listPools());
  expect(store.read((tx) => tx.countAddresses(pool?.id ?? ""))).toMatchObject({ assigned: 0, quarantined: 0 });
  const addresses = new Set<string | undefined>();
  for (let index = 0; index < usable; index++) addresses.add(await add(`last-${index}`));
  expect(addresses.has(undefined)).toBe(false);
  expect(addresses.size).toBe(usable);
  expect(await add("one-too-many")).toBeUndefined();
  expect(store.read(findInconsistencies)).toEqual([]);
}

function tell(what: string, { callers, rounds }: Crowd, { entries, kills, left }: CrowdReport, ms: number): void {
  const [got, exhausted] = [count(entries, "got"), count(entries, "exhausted")];
  const found = `${got} addresses given, ${exhausted} times none left, ${kills} killed, ${left.length} containers left for GC`;
  process.stdout.write(`${callers} ${what} x ${rounds} (seed ${seed}): ${found}, ${(ms / 1000).toFixed(1)} s\n`);
}
