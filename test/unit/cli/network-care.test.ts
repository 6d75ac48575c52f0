import {
  deleteNamedNetwork,
  type DeleteArguments,
  ensureNetwork,
  repairNamedNetwork,
  type RepairArguments,
} from "../../../src/cli/network-care.ts";
import { listNetworks } from "../../../src/cli/network.ts";
import { showNetwork } from "../../../src/cli/network-show.ts";
import type { ExitCode } from "../../../src/cli/world.ts";
import { EngineFixture, HOST_ENDPOINT, NETWORK } from "../../support/engine-fixture.ts";
import { FakeWorld } from "./fake-world.ts";

const DIR = "C:\\ProgramData\\hns-cni";
const CONF = {
  cniVersion: "1.1.0",
  name: NETWORK,
  type: "hns-cni",
  mode: "l2bridge",
  clusterCidrs: ["10.244.0.0/16"],
  serviceCidrs: ["10.96.0.0/12"],
  ipam: { type: "hns-cni", cidr: "10.244.3.0/24" },
};
const OTHER_RANGE = { ...CONF, ipam: { type: "hns-cni", cidr: "10.244.9.0/24" } };
const DELEGATED = { ...CONF, ipam: { type: "host-local", ranges: [[{ subnet: "10.244.3.0/24", rangeStart: "10.244.3.3" }]] } };

let node: EngineFixture;
let world: FakeWorld;

beforeEach(() => {
  node = new EngineFixture();
  world = buildWorld();
});
afterEach(() => node.close());

function buildWorld(): FakeWorld {
  const files = { "a.conf": CONF, "other.conf": OTHER_RANGE, "delegated.conf": DELEGATED };
  const built = new FakeWorld(Object.fromEntries(Object.entries(files).map(([name, conf]) => [name, JSON.stringify(conf)])));
  built.states.set(DIR, node.store);
  built.hns = node.spawn().backend;
  built.machine = node.operation(node.spawn()).machine;
  return built;
}

test("a terminal that is gone does not break the work off", async () => {
  world = Object.assign(world, {
    writeError: () => {
      throw new Error("EIO: i/o error, write");
    },
  });
  expect(await ensure()).toContain("network created");
  expect(hns().networks).toHaveLength(1);
});

async function run(work: () => Promise<ExitCode>): Promise<string> {
  world.out = "";
  expect(await work()).toBe(0);
  return world.out;
}

const ensure = (conf = "a.conf"): Promise<string> => run(() => ensureNetwork(world, { conf, stateDir: undefined, output: "text" }));
const repair = (changes: Partial<RepairArguments> = {}): Promise<string> =>
  run(() => repairNamedNetwork(world, { name: NETWORK, conf: "a.conf", dryRun: false, stateDir: undefined, output: "text", ...changes }));
const remove = (changes: Partial<DeleteArguments> = {}): Promise<string> =>
  run(() => deleteNamedNetwork(world, { name: NETWORK, dryRun: false, stateDir: undefined, output: "text", ...changes }));

/** Everything in HNS, so that a dry run can be seen to change nothing. */
function hns(): { networks: string[]; endpoints: string[] } {
  const { networks, endpoints } = node.model.world;
  return {
    networks: [...networks.values()].map(({ id, name, subnets }) => `${id} ${name} ${subnets.map(({ prefix }) => prefix).join(" ")}`),
    endpoints: [...endpoints.values()].map(({ id, name }) => `${id} ${name}`),
  };
}

function hostEndpoint(): { id: string; hostCompartment: number | null } | undefined {
  return [...node.model.world.endpoints.values()].find(({ name }) => name === HOST_ENDPOINT);
}

describe("network ensure", () => {
  test("makes network and host endpoint as an ADD does, says so while it does it, and then has nothing to make", async () => {
    expect(await ensure()).toBe("pods: network created\npods: host endpoint created\n");
    expect(world.error).toContain("network created network=pods\n");
    expect(hostEndpoint()).toMatchObject({ hostCompartment: 1 });
    const before = hns();
    expect(await ensure()).toBe("pods: network verified\npods: host endpoint finished\n");
    expect(hns()).toEqual(before);
    const pod = node.pod("c1");
    node.clearCalls();
    await node.add(pod);
    expect(node.calls()).not.toContain("HcnCreateNetwork");
    expect(node.endpointOf(pod)).toBeDefined();
  });

  test("gives it as JSON", async () => {
    await ensureNetwork(world, { conf: "a.conf", stateDir: undefined, output: "json" });
    const steps = ["network created", "host endpoint created"];
    expect(JSON.parse(world.out)).toEqual({
      network: NETWORK,
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
      dryRun: false,
      steps,
      changes: [],
    });
  });

  test("tells another address of the node than before; network list and show tell it until then", async () => {
    await ensure();
    node.model.world.settings = { ...node.model.world.settings, adapters: [{ name: "Ethernet", address: "10.0.0.9/24" }] };
    const told = "the management IP was 10.0.0.4, and is 10.0.0.9; restart kubelet";
    const args = { stateDir: undefined, timeout: 30, output: "text" } as const;
    expect(await run(() => listNetworks(world, args))).toContain(`pods: ${told}`);
    expect(await run(() => showNetwork(world, { ...args, name: NETWORK, conf: undefined }))).toContain(`changed: ${told}`);
    expect(await ensure()).toContain(`pods: ${told}`);
    expect(await ensure()).not.toContain("management IP");
  });

  test("uses a network of others as it is, and refuses one that differs", async () => {
    node.foreignNetwork();
    expect(await ensure()).toBe("pods: network verified\n");
    await expect(ensure("other.conf")).rejects.toMatchObject({ code: "NETWORK_MISMATCH" });
    expect(hns().endpoints).toEqual([]);
  });

  test("says that the range is not known where another IPAM plugin gives the addresses", async () => {
    await expect(ensure("delegated.conf")).rejects.toThrow('the IPAM plugin "host-local"');
    expect(hns().networks).toEqual([]);
  });
});

/** As after the loss of state.db. */
function loseState(): void {
  for (const table of ["attachments", "addresses", "blocks", "pools", "networks"]) node.database.run(`DELETE FROM ${table}`);
}

describe("a state that was lost", () => {
  test.each([
    ["ensure", () => ensure()],
    ["repair", () => repair()],
  ])("is learnt from HNS by %s, so that no pod's address is given twice", async (_name, work) => {
    const [first, second] = [node.pod("c1"), node.pod("c2")];
    const before = await node.add(first);
    loseState();
    expect(await work()).toContain("pods: network verified\n");
    expect(node.attachment(first)).toMatchObject({ phase: "attached" });
    expect((await node.add(second)).ips[0]?.address).not.toEqual(before.ips[0]?.address);
  });

  test("stays as it is with a dry run", async () => {
    await node.add(node.pod("c1"));
    loseState();
    await repair({ dryRun: true });
    expect(node.rows("networks")).toEqual([]);
  });
});

describe("network delete", () => {
  test("removes an empty network of ours with its host endpoint; a dry run only says so; the next ADD makes it again", async () => {
    await ensure();
    const before = hns();
    expect(await remove({ dryRun: true })).toBe("pods: would be done: host endpoint deleted\npods: would be done: network deleted\n");
    expect(hns()).toEqual(before);
    expect(await remove()).toBe("pods: host endpoint deleted\npods: network deleted\n");
    expect(hns()).toEqual({ networks: [], endpoints: [] });
    expect(node.store.read((tx) => tx.findNetwork(NETWORK))).toMatchObject({ id: undefined, isOurs: false });
    expect(await remove()).toBe("pods: HNS has no such network, nothing to do\n");
    const pod = node.pod("c1");
    await node.add(pod);
    expect(node.endpointOf(pod)).toBeDefined();
  });

  test("also when HNS chose its id, which then only the state knows", async () => {
    node.close();
    node = new EngineFixture({ settings: { ignoreCallerIds: true } });
    world = buildWorld();
    await ensure();
    await expect(remove({ stateDir: "elsewhere" })).rejects.toThrow("somebody else made it");
    expect(await remove()).toContain("pods: network deleted\n");
  });

  test("refuses a network of others, also an empty one", async () => {
    node.foreignNetwork();
    const before = hns();
    await expect(remove()).rejects.toThrow("somebody else made it");
    expect(hns()).toEqual(before);
  });

  test("refuses while a pod is attached, while another tool has an endpoint on it, and while an ADD is under way", async () => {
    const pod = node.pod("c1");
    await node.add(pod);
    const before = hns();
    await expect(remove()).rejects.toThrow("it is in use by c1_pods");
    expect(hns()).toEqual(before);
    await node.del(pod);
    const foreign = node.foreignEndpoint("theirs", "10.244.3.77");
    await expect(remove({ dryRun: true })).rejects.toThrow("it is in use by theirs");
    node.model.world.endpoints.delete(foreign.id);
    const attachment = node.attachment(pod);
    if (attachment === undefined) throw new Error("no attachment");
    node.store.transaction((tx) => tx.putAttachment({ ...attachment, phase: "intent" }));
    await expect(remove()).rejects.toThrow("it is in use by container c1");
    expect(hostEndpoint()).toBeDefined();
  });

  test("keeps the network when a pod comes after the first look", async () => {
    await ensure();
    const { backend } = node.spawn();
    const original = backend.delete.bind(backend);
    backend.delete = async (...given) => {
      await original(...given);
      if (given[0] === "endpoint") node.foreignEndpoint("late", "10.244.3.50");
    };
    world.hns = backend;
    await expect(remove()).rejects.toThrow("it is in use by late");
    expect(hns().networks).toHaveLength(1);
  });
});

describe("network repair", () => {
  test("makes the host endpoint again, beside pods that stay; a dry run says so and does nothing", async () => {
    const pod = node.pod("c1");
    await node.add(pod);
    node.model.world.endpoints.delete(hostEndpoint()?.id ?? "");
    const before = hns();
    const steps = ["network verified", "host endpoint created"];
    expect(await repair({ dryRun: true })).toBe(steps.map((step) => `pods: would be done: ${step}\n`).join(""));
    expect(hns()).toEqual(before);
    expect(await repair()).toBe(steps.map((step) => `pods: ${step}\n`).join(""));
    expect(hostEndpoint()).toMatchObject({ hostCompartment: 1 });
    expect(hns().endpoints).toEqual(expect.arrayContaining(before.endpoints));
  });

  test("makes a host endpoint of another address again", async () => {
    await ensure();
    node.model.world.endpoints.delete(hostEndpoint()?.id ?? "");
    const wrong = node.foreignEndpoint(HOST_ENDPOINT, "10.244.3.9");
    const steps = ["host endpoint deleted", "network verified", "host endpoint created"];
    expect(await repair({ dryRun: true })).toBe(steps.map((step) => `pods: would be done: ${step}\n`).join(""));
    expect(hostEndpoint()?.id).toBe(wrong.id);
    expect(await repair()).toBe(steps.map((step) => `pods: ${step}\n`).join(""));
    expect(hostEndpoint()?.id).not.toBe(wrong.id);
    expect(hostEndpoint()).toMatchObject({ hostCompartment: 1 });
  });

  test("finishes a host endpoint that is not attached", async () => {
    await ensure();
    const endpoint = node.model.world.endpoints.get(hostEndpoint()?.id ?? "");
    if (endpoint === undefined) throw new Error("no host endpoint");
    Object.assign(endpoint, { hostCompartment: null });
    expect(await repair()).toBe("pods: network verified\npods: host endpoint finished\n");
    expect(hostEndpoint()).toMatchObject({ hostCompartment: 1 });
  });

  test("makes a network that is gone", async () => {
    expect(await repair()).toBe("pods: network created\npods: host endpoint created\n");
  });

  test("replaces a network of ours that differs and is empty", async () => {
    await ensure();
    const steps = ["host endpoint deleted", "network deleted", "network created", "host endpoint created"];
    expect(await repair({ conf: "other.conf", dryRun: true })).toBe(steps.map((step) => `pods: would be done: ${step}\n`).join(""));
    expect(hns().networks).toEqual([expect.stringContaining("10.244.3.0/24")]);
    expect(await repair({ conf: "other.conf" })).toBe(steps.map((step) => `pods: ${step}\n`).join(""));
    expect(hns().networks).toEqual([expect.stringContaining("10.244.9.0/24")]);
  });

  test("never replaces one with a pod, or one of others: it names what differs", async () => {
    await node.add(node.pod("c1"));
    const before = hns();
    const wrong = { code: "NETWORK_MISMATCH", message: expect.stringContaining("10.244.3.0/24") as unknown };
    await expect(repair({ conf: "other.conf" })).rejects.toMatchObject(wrong);
    await expect(repair({ conf: "other.conf", dryRun: true })).rejects.toMatchObject(wrong);
    expect(hns()).toEqual(before);
  });

  test("wants a configuration of that network", async () => {
    await expect(repair({ name: "more" })).rejects.toThrow('with the name "more"');
  });
});
