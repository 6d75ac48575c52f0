import { parseArgs } from "node:util";
import { checkPools } from "../../../src/cli/ipam-check.ts";
import { importAddresses, SOURCES } from "../../../src/cli/ipam-import.ts";
import { showCapacity, splitCidr } from "../../../src/cli/ipam-plan.ts";
import { releaseAddresses } from "../../../src/cli/ipam-release.ts";
import { showPools } from "../../../src/cli/ipam-show.ts";
import { CliError, type ExitCode } from "../../../src/cli/world.ts";
import { attachmentId } from "../../../src/core/engine/attachment.ts";
import type { StateStore, StateTransaction } from "../../../src/core/engine/store.ts";
import { allocateAddress, quarantineOwned, releaseOwned } from "../../../src/core/ipam/allocator.ts";
import { CONFLICT_OWNER } from "../../../src/core/ipam/import.ts";
import { ATTACHMENT } from "../../contract/state-store.contract.ts";
import { buildSpec } from "../core/ipam/pool-kit.ts";
import { FakeWorld } from "./fake-world.ts";

const DIR = "C:\\ProgramData\\hns-cni";
const SPEC = buildSpec("10.244.3.0/27", 28);

const SINCE = { wallMs: Date.UTC(2025, 2, 1), uptimeMs: 5, bootId: "boot-1" };

function owner(container: string): string {
  return attachmentId({ network: "pods", containerId: container, ifname: "eth0" });
}

/** A node with a pool of two blocks: five assigned, two at rest, one in quarantine. */
function buildNode(files: Record<string, string> = {}): FakeWorld {
  const world = new FakeWorld(files);
  const store = world.openState(DIR);
  store.transaction((tx) => {
    for (let index = 0; index < 14; index++) allocateAddress(tx, world.clock, SPEC, owner(`c${index}`));
    for (const index of [1, 2]) releaseOwned(tx, world.clock, owner(`c${index}`));
    quarantineOwned(tx, owner("c4"));
  });
  return world;
}

async function run(world: FakeWorld, ...args: string[]): Promise<{ code: number; out: string; error: string }> {
  world.out = "";
  world.error = "";
  let code: ExitCode = 1;
  try {
    code = await dispatch(world, args);
  } catch (thrown) {
    if (!(thrown instanceof CliError)) throw thrown;
    world.error += `${thrown.message}\n${thrown.next}\n`;
  }
  return { code, out: world.out, error: world.error };
}

/** Hands the arguments over as the command line does; yargs itself is tried with the packaged program. */
function dispatch(world: FakeWorld, [verb, ...rest]: readonly string[]): ExitCode | Promise<ExitCode> {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values, positionals } = parseArgs({
    args: [...rest],
    allowPositionals: true,
    options: {
      "state-dir": text,
      network: text,
      conf: text,
      owner: text,
      cidr: text,
      from: text,
      node: text,
      nodes: text,
      "block-size": text,
      "max-pods": text,
      "windows-reserved": text,
      output: { ...text, short: "o" },
      reserved: { ...text, multiple: true },
      yes: flag,
      force: flag,
      "dry-run": flag,
    },
  });
  const { network, conf, owner, cidr = "", node, yes, force } = values;
  const count = (value: string | undefined): number | undefined => (value === undefined ? undefined : Number(value));
  const output = (["text", "wide", "json", "yaml"] as const).find((form) => form === values.output) ?? "text";
  const plain = output === "wide" ? "text" : output;
  const common = {
    stateDir: values["state-dir"],
    network,
    output,
    dryRun: values["dry-run"],
    cidr,
    blockSize: count(values["block-size"]),
    maxPods: count(values["max-pods"]),
  };
  const [subject] = positionals;
  const windowsReserved = values["windows-reserved"] === "block" ? "block" : "subnet";
  const from = SOURCES.find((source) => source === values.from) ?? "host-local";
  const verbs: Readonly<Record<string, () => ExitCode | Promise<ExitCode>>> = {
    show: () => showPools(world, { ...common, conf }),
    check: () => checkPools(world, { ...common, output: plain }),
    release: () => releaseAddresses(world, { ...common, address: subject, owner, yes, force, output: plain }),
    capacity: () => showCapacity(world, { ...common, reserved: values.reserved ?? [], windowsReserved, output: plain }),
    split: () => splitCidr(world, { ...common, cidr: subject ?? "", nodes: count(values.nodes) }),
    import: () => importAddresses(world, { ...common, network: network ?? "", file: subject ?? "", from, node }),
  };
  const work = verbs[verb ?? ""];
  if (work === undefined) throw new Error(`no verb ${verb ?? ""}`);
  return work();
}

function state(world: FakeWorld): StateStore {
  return world.openState(DIR);
}

function change(world: FakeWorld, work: (tx: StateTransaction) => void): void {
  state(world).transaction(work);
}

describe("ipam show", () => {
  test("draws every block, with counts and a legend", async () => {
    const { code, out, error } = await run(buildNode(), "show");
    expect([code, error]).toEqual([0, ""]);
    expect(out).toBe(
      [
        "pods/10.244.3.0/27: 2 blocks, 14 free, 11 assigned, 2 cooling, 1 quarantined, 4 reserved",
        "  10.244.3.0/28  0 free, 10 assigned, 2 cooling, 1 quarantined, 3 reserved",
        "    ---#~~#!########",
        "  10.244.3.16/28  14 free, 1 assigned, 0 cooling, 0 quarantined, 1 reserved",
        "    #..............-",
        "",
        ". free   # assigned   ~ cooling   ! quarantined   - reserved",
        "",
      ].join("\n"),
    );
  });

  test("lists held addresses with their owners in the wide form", async () => {
    const { out } = await run(buildNode(), "show", "-o", "wide");
    expect(out).toContain(`10.244.3.4   cooling      ${owner("c1")}`);
    expect(out.match(/^10\.244\.3\.\d+ /gm)).toHaveLength(14);
  });

  test("tells what HNS refused as in use, and since when, and not what an import kept back", async () => {
    const world = buildNode();
    change(world, (tx) => {
      for (const address of ["10.244.3.7", "10.244.3.10", "10.244.3.9"]) {
        const record = tx.findAddress(SPEC.id, address);
        if (record === undefined) throw new Error(address);
        tx.putAddress({ ...record, state: "quarantined", owner: CONFLICT_OWNER, released: address === "10.244.3.9" ? undefined : SINCE });
      }
    });
    const { out } = await run(world, "show");
    const since = new Date(SINCE.wallMs).toISOString();
    expect(out).toContain(`\n  2 refused by HNS as in use: 10.244.3.7 since ${since}, 10.244.3.10 since ${since}\n`);
    const json = JSON.parse((await run(world, "show", "-o", "json")).out) as unknown;
    expect(json).toMatchObject([
      {
        conflicts: [
          { address: "10.244.3.7", since },
          { address: "10.244.3.10", since },
        ],
      },
    ]);
    const { code, out: found } = await run(world, "check");
    expect([code, found.match(/^pods.* was refused by HNS as in use \(.*\n {2}look for the endpoint .*$/gm)?.length]).toEqual([1, 2]);
  });

  test("tells the pod of an owner, also where another plugin makes the network", async () => {
    const world = buildNode();
    const pod = { namespace: "shop", name: "db-0", uid: "u-1" };
    const holder = { containerId: "c99", ifname: "net1", pod, isSticky: true };
    change(world, (tx) => allocateAddress(tx, world.clock, SPEC, { id: owner("c99"), holder }));
    const { out } = await run(world, "show", "-o", "wide");
    expect(out).toMatch(/10\.244\.3\.17 +assigned +[0-9a-f-]{36} +c99 net1 +shop\/db-0\n/);
    const [pool] = JSON.parse((await run(world, "show", "-o", "json")).out) as { addresses: object[] }[];
    expect(pool?.addresses).toContainEqual(expect.objectContaining({ container: "c99 net1", pod: "shop/db-0", podUid: "u-1" }));
  });

  test("answers scripts with counts, maps and addresses", async () => {
    const { out } = await run(buildNode(), "show", "--network", "pods", "-o", "json");
    expect(JSON.parse(out)).toMatchObject([{ pool: SPEC.id, counts: { free: 14, assigned: 11, cooling: 2, quarantined: 1, reserved: 4 } }]);
  });

  test("knows from the configuration which addresses are kept back that were never asked for", async () => {
    const ipam = { type: "hns-cni", cidr: "10.244.3.0/27", blockSize: 28, reserved: ["10.244.3.20/31"] };
    const conf = JSON.stringify({ cniVersion: "1.1.0", name: "pods", type: "hns-cni", mode: "l2bridge", ipam });
    const { out } = await run(buildNode({ conf }), "show", "--conf", "conf");
    expect(out).toContain("    #...--.........-\n");
  });

  test("shows the networks that are asked for, and says so when there is nothing", async () => {
    expect((await run(buildNode(), "show", "--network", "others")).out).toBe("no pools: no pod has asked for an address yet\n");
  });

  test("does not make a state where there is none", async () => {
    const world = new FakeWorld();
    const { code, error } = await run(world, "show", "--state-dir", "D:\\none");
    expect(code).toBe(1);
    expect(error).toMatch(/no state in D:\\none: there is no state\.db\nname the folder with --state-dir/);
    expect(world.states.size).toBe(0);
  });
});

describe("ipam check", () => {
  test("finds nothing in a node as the plugin leaves it", async () => {
    expect(await run(buildNode(), "check")).toEqual({ code: 0, out: "1 pool: nothing wrong\n", error: "" });
  });

  const NETWORK = { name: "pods", id: undefined, isOurs: true, isCreating: false, verified: "", hnsVersion: "" };
  const BLOCK = "10.244.3.0/28";
  const record = { pool: SPEC.id, address: "10.244.3.3", block: BLOCK, state: "assigned", owner: "x", released: undefined } as const;

  function changeBlock(tx: StateTransaction, change: { held?: number; next?: number; usable?: number }): void {
    const block = tx.findBlock(SPEC.id, BLOCK);
    if (block !== undefined) tx.swapBlock({ ...block, ...change, version: block.version + 1 }, block.version);
  }

  function addBarePod(tx: StateTransaction): void {
    tx.putNetwork(NETWORK);
    tx.putAttachment({ ...ATTACHMENT, network: "pods" });
  }

  test.each<[string, (tx: StateTransaction) => unknown, RegExp]>([
    ["a count that is wrong", (tx) => changeBlock(tx, { held: 12 }), /10\.244\.3\.0\/28 says that 12 addresses are held, and 13 are/],
    ["more usable addresses than there are", (tx) => changeBlock(tx, { usable: 17 }), /says that 17 of its 16 addresses are usable/],
    ["a cursor that would give addresses twice", (tx) => changeBlock(tx, { next: 8 }), /10\.244\.3\.8 is known although its block/],
    ["addresses that are lost", (tx) => tx.removeAddress(SPEC.id, "10.244.3.9"), /has 1 addresses that are neither free nor held/],
    [
      "an address without its block",
      (tx) => tx.putAddress({ ...record, block: "10.244.3.32/28" }),
      /is no block of the pool, and 1 addresses/,
    ],
    ["an address outside its block", (tx) => tx.putAddress({ ...record, address: "10.244.3.20" }), /10\.244\.3\.20 lies outside its block/],
    ["a holder without a name", (tx) => tx.putAddress({ ...record, owner: "" }), /10\.244\.3\.3 is assigned and has no owner/],
    ["a free address with an owner", (tx) => tx.putAddress({ ...record, state: "free" }), /10\.244\.3\.3 is free and has the owner x/],
    ["a rest without a beginning", (tx) => tx.putAddress({ ...record, state: "cooling" }), /since when is not known/],
    [
      "a block beyond what is carved",
      (tx) => tx.swapPool({ id: SPEC.id, cidr: "10.244.3.0/27", carved: 16, version: 3 }, 2),
      /lies beyond what/,
    ],
    [
      "blocks over each other",
      (tx) => tx.swapBlock({ pool: SPEC.id, cidr: "10.244.3.8/29", usable: 8, held: 0, next: 0, version: 1 }, undefined),
      /overlaps the block before/,
    ],
    [
      "an address with two owners",
      (tx) => allocateAddress(tx, new FakeWorld().clock, { ...SPEC, id: "other/10.244.3.0/27" }, "y"),
      /10\.244\.3\.3 has 2 owners/,
    ],
    [
      "owners whose pod is gone",
      (tx) => tx.putNetwork(NETWORK),
      /owns 10\.244\.3\.\d+ and has no attachment\n {2}if no pod .*release --owner/,
    ],
    ["a pod without an address", addBarePod, /is attached \(container c1, eth0\) and has no address/],
  ])("finds %s", async (_name, damage, finding) => {
    const world = buildNode();
    change(world, (tx) => void damage(tx));
    const { code, out } = await run(world, "check");
    expect(code).toBe(1);
    expect(out).toMatch(finding);
    const { out: json } = await run(world, "check", "-o", "json");
    expect(JSON.parse(json)).toMatchObject({ healthy: false });
  });
});

describe("ipam release", () => {
  const assigned = (world: FakeWorld, address: string): unknown => state(world).read((tx) => tx.findAddress(SPEC.id, address)?.state);

  test("puts an address to rest, when told to for certain", async () => {
    const world = buildNode();
    const refused = await run(world, "release", "10.244.3.3");
    expect(refused).toMatchObject({
      code: 1,
      out: "",
      error: expect.stringMatching(/would release 10\.244\.3\.3 .*\nadd --yes/) as string,
    });
    expect(await run(world, "release", "10.244.3.3", "--dry-run", "--yes")).toMatchObject({
      code: 0,
      out: expect.stringContaining("would be") as string,
    });
    expect(assigned(world, "10.244.3.3")).toBe("assigned");
    expect(await run(world, "release", "10.244.3.3", "--yes")).toMatchObject({ code: 0, error: "" });
    expect(assigned(world, "10.244.3.3")).toBe("cooling");
    expect((await run(world, "check")).code).toBe(0);
  });

  test("puts everything of an owner to rest, quarantined ones too", async () => {
    const world = buildNode();
    const { code, out } = await run(world, "release", "--owner", owner("c4").toUpperCase(), "--yes", "-o", "json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ dryRun: false, released: [{ address: "10.244.3.7", was: "quarantined" }] });
    expect(assigned(world, "10.244.3.7")).toBe("cooling");
  });

  test("spares a pod that runs, unless forced", async () => {
    const world = buildNode();
    const id = attachmentId({ network: "pods", containerId: "c0", ifname: "eth0" });
    change(world, (tx) => tx.putAttachment({ ...ATTACHMENT, id, containerId: "c0" }));
    expect((await run(world, "release", "10.244.3.3", "--yes")).error).toMatch(
      /container c0 is attached with it\ndelete the pod, or add --force/,
    );
    expect(assigned(world, "10.244.3.3")).toBe("assigned");
    expect((await run(world, "release", "10.244.3.3", "--yes", "--force")).code).toBe(0);
  });

  test.each([
    [["release", "--yes"], /name one address, or --owner/],
    [["release", "10.244.3.3", "--owner", "x", "--yes"], /name one address, or --owner/],
    [["release", "10.244.3.300", "--yes"], /is no IP address/],
    [["release", "10.244.3.29", "--yes"], /cannot release 10\.244\.3\.29: it is not known here/],
    [["release", "10.244.3.4", "--yes"], /it is not assigned and not in quarantine/],
    [["release", "--owner", "nobody", "--yes"], /not known here/],
  ])("%j is an error", async (args, message) => {
    const world = buildNode();
    const before = (await run(world, "show", "-o", "json")).out;
    expect(await run(world, ...args)).toMatchObject({ code: 1, out: "", error: expect.stringMatching(message) as string });
    expect((await run(world, "show", "-o", "json")).out).toBe(before);
  });
});

describe("ipam capacity", () => {
  test.each([
    [["--cidr", "10.244.3.0/24"], 0, /^10\.244\.3\.0\/24: 252 addresses for pods \(256, of which 4 are reserved\), 4 blocks of 64\n$/],
    [["--cidr", "10.244.3.0/24", "--windows-reserved", "block"], 0, /240 addresses/],
    [["--cidr", "10.244.3.0/24", "--reserved", "10.244.3.16/28", "--reserved", "10.244.3.30-10.244.3.40"], 0, /227 addresses/],
    [["--cidr", "10.244.3.0/28", "--max-pods", "12"], 0, /12 addresses for pods .*1 block of 16\n$/],
    [["--cidr", "fd00::/120"], 0, /^fd00::\/120: 253 addresses for pods \(256, of which 3 are reserved\), 4 blocks of 64\n$/],
    [["--cidr", "fd00::/64", "--reserved", "fd00::/80"], 0, /: 0 addresses for pods/],
    [["--cidr", "10.244.3.0/28", "--max-pods", "110"], 1, /warning: the kubelet allows 110 pods and there are 12 addresses/],
  ])("%j", async (args, code, text) => {
    expect(await run(new FakeWorld(), "capacity", ...args)).toEqual({ code, out: expect.stringMatching(text) as string, error: "" });
  });

  test.each([
    [["--cidr", "10.244.3.1/24"], /no network in CIDR form/],
    [["--cidr", "10.244.3.0/30"], /Windows keeps 4/],
    [["--cidr", "fd00::/127"], /Windows keeps 3/],
    [["--cidr", "fd00::/64", "--block-size", "64"], /prefix length from 112 to 126/],
    [["--cidr", "fd00::/64", "--windows-reserved", "block"], /too many blocks/],
    [["--cidr", "10.244.3.0/24", "--block-size", "20"], /prefix length from 24 to 29/],
    [["--cidr", "10.244.3.0/24", "--block-size", "x"], /prefix length from 24 to 29/],
    [["--cidr", "10.244.3.0/24", "--max-pods", "many"], /no whole number above 0/],
    [["--cidr", "10.244.3.0/24", "--reserved", "10.9.0.1"], /lies outside/],
  ])("%j is an error", async (args, text) => {
    expect(await run(new FakeWorld(), "capacity", ...args)).toEqual({ code: 1, out: "", error: expect.stringMatching(text) as string });
  });
});

describe("ipam split", () => {
  test("gives every node an equal range", async () => {
    const { code, out } = await run(new FakeWorld(), "split", "10.244.0.0/16", "--nodes", "100", "--max-pods", "250");
    expect(code).toBe(0);
    expect(out).toMatch(/^10\.244\.0\.0\/16 among 100 nodes: a \/23 each, 508 addresses for pods; 28 ranges are spare\n/);
    expect(out).toMatch(/\n1 {5}10\.244\.0\.0\/23\n[^]*\n8 {5}10\.244\.14\.0\/23\nand 92 more; -o wide lists all\n$/);
  });

  test("divides an IPv6 range as well", async () => {
    const { code, out } = await run(new FakeWorld(), "split", "fd00::/60", "--nodes", "9");
    expect(code).toBe(0);
    expect(out).toMatch(/^fd00::\/60 among 9 nodes: a \/64 each, 281474976710653 addresses for pods; 7 ranges are spare\n/);
    expect(out).toMatch(/\n8 {5}fd00:0:0:7::\/64\n/);
  });

  test("warns when a node gets fewer addresses than pods", async () => {
    const { code, out } = await run(new FakeWorld(), "split", "10.244.0.0/24", "--nodes", "4", "--max-pods", "110", "-o", "json");
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ prefix: 26, usable: 60, spare: 0, warning: expect.stringContaining("110 pods") as string });
    expect(JSON.parse(out)).toHaveProperty("ranges.3", "10.244.0.192/26");
  });

  test.each([
    [["10.244.0.0/24", "--nodes", "100"], /cannot be divided among 100 nodes/],
    [["10.244.0.0/24", "--nodes", "0"], /no whole number above 0/],
    [["fd00::/124", "--nodes", "8"], /fewer than 4 addresses/],
  ])("%j is an error", async (args, text) => {
    expect(await run(new FakeWorld(), "split", ...args)).toEqual({ code: 1, out: "", error: expect.stringMatching(text) as string });
  });
});

describe("ipam import", () => {
  const ID = "5a".repeat(32);
  const hostLocal = {
    "H\\10.244.3.5": `${ID}\r\neth0`,
    "H\\10.244.3.9": "c9\r\nnet1",
    "H\\10.244.3.2": "gateway\n",
    "H\\10.9.0.5": "elsewhere\r\neth0",
    "H\\fd00__7": "six\r\neth0",
    "H\\last_reserved_ip.0": "10.244.3.9",
    "H\\lock": "",
  };
  const azureVnet = {
    Network: {
      Version: "v1",
      ExternalInterfaces: {
        Ethernet: {
          Name: "Ethernet",
          Networks: {
            azure: {
              Endpoints: {
                [`${ID.slice(0, 8)}-eth0`]: { ContainerID: ID, IfName: "eth0", IPAddresses: [{ IP: "10.244.3.5", Mask: "//8AAA==" }] },
              },
            },
            empty: { Endpoints: null },
          },
        },
      },
    },
  };
  const azureEndpoints = {
    Endpoints: {
      [ID]: { PodName: "a", PodNamespace: "b", IfnameToIPMap: { eth0: { IPv4: [{ IP: "10.244.3.5", Mask: "/////w==" }], IPv6: null } } },
    },
  };
  const windows = { handle_id: "windows-reserved-ipam-handle" };
  const calico = {
    items: [
      {
        spec: {
          cidr: "10.244.3.0/28",
          affinity: "host:win-1",
          allocations: [0, 0, 0, null, 2, 1, 3, null, null, null, null, null, null, null, null, 0],
          attributes: [
            windows,
            { handle_id: `Calico.${ID}` },
            { handle_id: "vxlan-tunnel-addr-win-1" },
            { handle_id: null, releasedAt: "2026-01-01T00:00:00Z" },
          ],
        },
      },
      {
        spec: { cidr: "10.244.9.0/28", affinity: "host:win-2", allocations: [0], attributes: [{ handle_id: `Calico.${"6b".repeat(32)}` }] },
      },
    ],
  };
  const files = {
    ...hostLocal,
    vnet: JSON.stringify(azureVnet),
    endpoints: `\uFEFF${JSON.stringify(azureEndpoints)}`,
    calico: JSON.stringify(calico),
  };
  const target = ["--network", "pods", "--cidr", "10.244.3.0/27"];

  function held(world: FakeWorld): string[] {
    return state(world)
      .read((tx) =>
        tx
          .listAddresses(SPEC.id)
          .filter(({ state: one }) => one !== "free")
          .map(({ address, owner: who, state: how }) => `${address} ${how} ${who}`),
      )
      .sort();
  }

  test.each([
    [
      "host-local",
      "H",
      [`10.244.3.5 assigned ${owner(ID)}`, `10.244.3.9 assigned ${attachmentId({ network: "pods", containerId: "c9", ifname: "net1" })}`],
    ],
    ["azure-vnet", "vnet", [`10.244.3.5 assigned ${owner(ID)}`]],
    ["azure-endpoints", "endpoints", [`10.244.3.5 assigned ${owner(ID)}`]],
    ["calico-blocks", "calico", [`10.244.3.4 quarantined ${CONFLICT_OWNER}`, `10.244.3.5 assigned ${owner(ID)}`]],
  ])("takes over what %s has given out, and the next pod gets another address", async (from, file, expected) => {
    const world = new FakeWorld(files);
    const dry = await run(world, "import", file, "--from", from, ...target, "--dry-run");
    expect(dry).toMatchObject({ code: 0, error: "" });
    expect(dry.out).toMatch(/nothing was changed\): \d taken over/);
    expect(world.states.size).toBe(0);
    const real = await run(world, "import", file, "--from", from, ...target);
    expect(real).toMatchObject({ code: 0, error: "" });
    expect(held(world)).toEqual(expected);
    expect((await run(world, "check")).out).toBe("1 pool: nothing wrong\n");
    change(world, (tx) => {
      for (let index = 0; index < 28 - expected.length; index++)
        allocateAddress(tx, world.clock, { ...SPEC, blockPrefix: 27 }, `new-${index}`);
    });
    // The pod's own DEL finds its address.
    change(world, (tx) => expect(releaseOwned(tx, world.clock, owner(ID))).toEqual(["10.244.3.5"]));
  });

  test("says what is passed over and why, and a repeat changes nothing", async () => {
    const world = new FakeWorld(files);
    const { out } = await run(world, "import", "H", "--from", "host-local", ...target);
    expect(out).toMatch(/10\.244\.3\.2 +reserved, passed over/);
    expect(out).toMatch(/: 2 taken over, 2 outside the range, passed over, 1 reserved, passed over\n$/);
    const before = held(world);
    expect((await run(world, "import", "H", "--from", "host-local", ...target, "-o", "json")).out).toMatch(/"known": 2,/);
    expect(held(world)).toEqual(before);
  });

  test("of Calico's blocks takes those of one node when it is named", async () => {
    const world = new FakeWorld(files);
    const all = await run(world, "import", "calico", "--from", "calico-blocks", ...target, "-o", "json", "--dry-run");
    expect(JSON.parse(all.out)).toMatchObject({ counts: { taken: 2, outside: 1 } });
    const one = await run(world, "import", "calico", "--from", "calico-blocks", ...target, "-o", "json", "--dry-run", "--node", "win-1");
    expect(JSON.parse(one.out)).toMatchObject({ counts: { taken: 2, outside: 0 } });
  });

  test("does nothing at all when one address has another owner here", async () => {
    const world = new FakeWorld(files);
    change(world, (tx) => {
      for (let index = 0; index < 3; index++) allocateAddress(tx, world.clock, { ...SPEC, blockPrefix: 27 }, `mine-${index}`);
    });
    const before = held(world);
    const { code, out, error } = await run(world, "import", "H", "--from", "host-local", ...target);
    expect([code, error]).toEqual([1, expect.stringContaining("nothing was taken over")]);
    expect(out).toMatch(/10\.244\.3\.5 +held by another owner/);
    expect(held(world)).toEqual(before);
  });

  test.each<[string, Record<string, string>, string, RegExp]>([
    [
      "host-local",
      { "F\\10.244.3.5": "" },
      "F",
      /cannot import F\\10\.244\.3\.5; nothing was changed: line 1 holds no container id\nfind the pod/,
    ],
    ["host-local", { "F\\readme": "x" }, "F", /its name is no IP address\nname host-local's folder/],
    ["host-local", {}, "F", /cannot read F: ENOENT/],
    ["azure-vnet", { F: '{"Network": ' }, "F", /the document is no JSON/],
    ["azure-vnet", { F: "\0\0\0" }, "F", /the document is no JSON/],
    ["azure-vnet", { F: "[]" }, "F", /the document is no object/],
    ["azure-vnet", { F: "{}" }, "F", /cannot import F; nothing was changed: Network is missing\ncheck that --from/],
    [
      "azure-vnet",
      { F: '{"Network":{"ExternalInterfaces":{"e":{"Networks":{"n":{"Endpoints":{"x":{"IPAddresses":[]}}}}}}}}' },
      "F",
      /Network\.ExternalInterfaces\.e\.Networks\.n\.Endpoints\.x\.ContainerID is missing/,
    ],
    [
      "azure-endpoints",
      { F: '{"Endpoints":{"c":{"IfnameToIPMap":{"eth0":{"IPv4":[{"IP":"x"}]}}}}}' },
      "F",
      /Endpoints\.c\.IfnameToIPMap\.eth0\.IPv4\[0\] holds no IP address/,
    ],
    ["azure-endpoints", { F: '{"Endpoints":5}' }, "F", /Endpoints is no object/],
    [
      "calico-blocks",
      { F: '{"items":[{"spec":{"cidr":"10.244.3.0/28","allocations":[4],"attributes":[]}}]}' },
      "F",
      /items\[0\]\.spec\.allocations\[0\] names no entry/,
    ],
    ["calico-blocks", { F: '{"items":{}}' }, "F", /items is no list/],
    [
      "azure-endpoints",
      {
        F: JSON.stringify({
          Endpoints: Object.fromEntries(["a", "b"].map((id) => [id, { IfnameToIPMap: { eth0: { IPv4: ["10.244.3.5/24"] } } }])),
        }),
      },
      "F",
      /10\.244\.3\.5 is at Endpoints\.a\.\S+ and at Endpoints\.b\.\S+ with different containers/,
    ],
  ])("a malformed %s is one error that names file, field and remedy, and changes nothing", async (from, contents, file, message) => {
    const world = new FakeWorld(contents);
    const { code, out, error } = await run(world, "import", file, "--from", from, ...target);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(error).toMatch(message);
    expect(world.states.size).toBe(0);
  });

  test("tells how far it has come when there is much", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 4_500 }, (_, index) => [`M\\10.8.${index >> 8}.${index & 255}`, `c${index}\neth0`]),
    );
    const world = new FakeWorld(many);
    const { error, out } = await run(world, "import", "M", "--from", "host-local", "--network", "pods", "--cidr", "10.8.0.0/16");
    expect(error).toBe("2000 of 4500 addresses\n4000 of 4500 addresses\n");
    expect(out).toMatch(/4497 taken over, 3 reserved/);
  });
});
