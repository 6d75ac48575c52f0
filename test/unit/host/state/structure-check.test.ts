/** When the structure of state.db is looked at, and what keeps addresses apart while it is not. */
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../../../src/core/base/async.ts";
import { PluginError } from "../../../../src/core/base/errors.ts";
import { findCidr } from "../../../../src/core/base/ip.ts";
import { allocateAddress, releaseOwned } from "../../../../src/core/ipam/allocator.ts";
import type { PoolSpec } from "../../../../src/core/ipam/pool.ts";
import { Database } from "../../../../src/host/state/database.ts";
import { type CheckTime, identify, isLarge, writeStamp } from "../../../../src/host/state/file-stamp.ts";
import { SqliteStateStore } from "../../../../src/host/state/sqlite-store.ts";
import { errorWith } from "../../../support/matchers.ts";
import { chooseFlips, flipBit } from "../../../support/crash-damage.ts";

const MINUTE = 60_000;
const HELD = 1_600;
const RESTING = 100;
const FLIPS = 60;

const clock: Clock = { now: () => 1_000_000, uptime: () => 1_000, bootId: () => "boot", sleep: () => Promise.resolve() };
const cidr = findCidr("10.1.0.0/20");
if (cidr === undefined) throw new Error("the range is no CIDR");
const spec: PoolSpec = { id: "pods/10.1.0.0/20", cidr, blockPrefix: 26, reserved: [0, 1, 2, 4095], cooldownMs: 0 };

let folder: string;
let path: string;
let time: CheckTime;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hns-state-"));
  path = join(folder, "state.db");
  time = { wall: 5_000_000_000, uptime: 20 * MINUTE };
});
afterEach(() => rmSync(folder, { recursive: true }));

function open(): SqliteStateStore {
  return new SqliteStateStore(Database.open({ path, busyTimeoutMs: 0, readTime: () => time }));
}

/** A state above the size that is looked at whenever it is opened; some addresses rest. Returns who holds what. */
function fill(count = HELD): Map<string, string> {
  const store = open();
  const held = new Map<string, string>();
  store.transaction((tx) => {
    for (let index = 0; index < count; index++) held.set(`held-${index}`, allocateAddress(tx, clock, spec, `held-${index}`).address);
    for (let index = 0; index < Math.min(count, RESTING); index++) {
      releaseOwned(tx, clock, `held-${index}`);
      held.delete(`held-${index}`);
    }
  });
  store.close();
  return held;
}

/** An owner's name in an index alone: no checksum of a row covers it, and only a look at the whole structure finds it. */
function damageIndex(): void {
  const bytes = readFileSync(path);
  const owner = Buffer.from("held-777");
  const places: number[] = [];
  for (let at = bytes.indexOf(owner); at >= 0; at = bytes.indexOf(owner, at + 1)) places.push(at);
  // The row has the address in front of the owner with "assigned" between, and can be left over in a page that was split; the index has the owner first.
  const [inIndex, ...more] = places.filter((at) => !bytes.subarray(at - 8, at).equals(Buffer.from("assigned")));
  if (inIndex === undefined || more.length > 0) throw new Error("the owner is not where it was expected");
  bytes.writeUInt8(0x58, inIndex);
  writeFileSync(path, bytes);
}

/** As if the damage had come without anybody writing. */
function forgeStamp(): void {
  writeStamp(path, time);
}

function forgeAndPass(wallMs: number, uptimeMs: number): void {
  forgeStamp();
  time = { wall: time.wall + wallMs, uptime: time.uptime + uptimeMs };
}

function forgeAndTouch(): void {
  forgeStamp();
  utimesSync(path, 1, 1);
}

function takeOne(store: SqliteStateStore): void {
  store.transaction((tx) => allocateAddress(tx, clock, spec, "new"));
}

/** As an ADD does that cannot wait for the rest to end. */
function useAgain(address: string): void {
  const store = open();
  store.transaction((tx) => {
    const record = tx.findAddress(spec.id, address);
    if (record?.state !== "cooling") throw new Error(`${address} does not rest`);
    tx.putAddress({ ...record, state: "assigned", owner: "again" });
  });
  store.close();
}

const damaged = errorWith({ code: "STATE_DAMAGED" });

describe("the structure of a large state file", () => {
  test("is not looked at again when it is as the last process left it", () => {
    fill();
    damageIndex();
    forgeAndPass(9 * MINUTE, 9 * MINUTE);
    open().close();
    // The close passed the time of the look on, and did not renew it.
    time = { wall: time.wall + 2 * MINUTE, uptime: time.uptime + 2 * MINUTE };
    expect(open).toThrow(damaged);
  });

  test.each<[string, () => void]>([
    ["somebody wrote to it", () => undefined],
    ["the stamp is gone", () => rmSync(`${path}-checked`)],
    ["the stamp is no JSON", () => writeFileSync(`${path}-checked`, "{")],
    [
      "the stamp is of another form",
      () => writeFileSync(`${path}-checked`, JSON.stringify({ identity: identify(path), wall: "1", uptime: 1 })),
    ],
    ["its times were set", forgeAndTouch],
    ["ten minutes went by", () => forgeAndPass(11 * MINUTE, 11 * MINUTE)],
    ["the machine booted", () => forgeAndPass(21 * MINUTE, MINUTE)],
    ["the uptime went back", () => forgeAndPass(-MINUTE, -MINUTE)],
  ])("is looked at when %s", (_what, happen) => {
    fill();
    damageIndex();
    happen();
    expect(open).toThrow(damaged);
  });

  test("holds what is looked at in any case: the tables that stay small", () => {
    fill();
    const bytes = readFileSync(path);
    // In the table of blocks the two columns are neighbours; with the other block's name the rows are out of order.
    const at = bytes.indexOf(Buffer.from(`${spec.id}10.1.0.64/26`));
    bytes.writeUInt8(0x58, at + spec.id.length);
    writeFileSync(path, bytes);
    forgeStamp();
    expect(open).toThrow(damaged);
  });
});

test("a small file is looked at whenever it is opened, and has no stamp", () => {
  fill(800);
  expect(isLarge(path)).toBe(false);
  expect(() => readFileSync(`${path}-checked`)).toThrow();
  damageIndex();
  forgeStamp();
  expect(open).toThrow(damaged);
});

describe("promise 6: one bit of an index of a large file rots unseen, and leads to the address of another:", () => {
  test.each<[string, RegExp, (store: SqliteStateStore) => unknown]>([
    // An entry ends with the row's own key. 110 is held; 101 was released when 100 was, and is in use again.
    ["that of the resting, to one never released", /boot..10\.1\.0\.10(?=0)/s, takeOne],
    ["that of the resting, to one in use again", /boot..10\.1\.0\.100/s, takeOne],
    ["that of the owners", /held-110pods\/10\.1\.0\.0\/2010\.1\.0\.11(?=3)/, (store) => store.read((tx) => tx.listOwned("held-110"))],
  ])("%s", (_what, entry, use) => {
    fill();
    useAgain("10.1.0.101");
    const bytes = readFileSync(path);
    const found = entry.exec(bytes.toString("latin1"));
    if (found === null) throw new Error("the entry is not where it was expected");
    const at = found.index + found[0].length - 1;
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    writeFileSync(path, bytes);
    forgeStamp();
    const store = open();
    expect(() => use(store)).toThrow(damaged);
    store.close();
  });
});

test("promise 6: whatever bit of a large file rots unseen, no address gets a second owner, and no owner the address of another", () => {
  const held = fill();
  const bytes = readFileSync(path);
  const taken = new Set(held.values());
  let noticed = 0;
  for (const flip of chooseFlips(bytes, FLIPS, 1)) {
    for (const part of ["-wal", "-shm"]) rmSync(path + part, { force: true });
    writeFileSync(path, flipBit(bytes, flip));
    forgeStamp();
    try {
      useDamaged(held, taken);
    } catch (thrown) {
      // Refused, with whatever code: a wrong answer is what must not be.
      if (!(thrown instanceof PluginError)) throw thrown;
      noticed += 1;
    }
  }
  expect(noticed).toBeGreaterThan(FLIPS / 10);
});

/** Takes, looks up and gives back as a process does. Throws as soon as the damage is noticed. */
function useDamaged(held: ReadonlyMap<string, string>, taken: ReadonlySet<string>): void {
  const store = open();
  const given = new Set(taken);
  try {
    store.transaction((tx) => {
      for (let index = 0; index < 150; index++) {
        const { address } = allocateAddress(tx, clock, spec, `new-${index}`);
        if (given.has(address)) throw new Error(`${address} was given out twice`);
        given.add(address);
      }
    });
    store.read((tx) => {
      for (const [owner, address] of held) {
        const found = tx.listOwned(owner).map((record) => record.address);
        if (found.some((one) => one !== address)) throw new Error(`${owner} has ${address} and was told ${found.join(", ")}`);
      }
    });
  } finally {
    store.close();
  }
}
