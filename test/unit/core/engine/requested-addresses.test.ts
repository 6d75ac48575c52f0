/** Addresses that pods ask for, from the call to HNS. */
import { withRequest } from "../../../../src/core/config/pod-request.ts";
import type { CniArguments } from "../../../../src/core/cni/arguments.ts";
import type { AttachRequest } from "../../../../src/core/engine/attachment.ts";
import { buildConfig, EngineFixture } from "../../../support/engine-fixture.ts";

let node: EngineFixture;
afterEach(() => node.close());

/** From here on pods ask for these addresses. */
function ask(...ips: string[]): void {
  node.config = withRequest({ config: node.config, warnings: [] }, { runtimeConfig: { ips } }, {}).config;
}

function makeNode(ipam: object = {}, autoAdvance = true): void {
  node = new EngineFixture({ config: { ipam: { cidr: "10.244.3.0/26", blockSize: 28, ...ipam } }, autoAdvance });
}

function addressOf(pod: AttachRequest): string | undefined {
  return node.endpointOf(pod)?.addresses[0]?.address;
}

async function passTime(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    await node.settle();
    await node.clock.advance(50);
  }
  await node.settle();
}

describe("an ADD that asks for an address", () => {
  test("gets it when it is free, the same on a repeat, and an ADD that fails gives it back as it was", async () => {
    makeNode();
    await node.add(node.pod("first"));
    ask("10.244.3.40");
    node.model.faults.add({ call: "HcnCreateEndpoint", kind: "fail", nth: 1, hresult: 0x80070005 });
    const pod = node.pod("a");
    await expect(node.add(pod)).rejects.toMatchObject({ code: "HNS_REFUSED" });
    expect(node.address("10.244.3.40")).toMatchObject({ state: "free", owner: "" });
    const result = await node.add(pod);
    expect(addressOf(pod)).toBe("10.244.3.40");
    expect(await node.add(pod)).toEqual(result);
  });

  test.each([
    ["10.244.3.3", { code: "ADDRESS_CONFLICT", retryable: true, message: /10\.244\.3\.3, and container first has it/ }],
    ["10.244.3.2", { code: "INVALID_CONFIG", message: /runtimeConfig\.ips\[0\] asks for 10\.244\.3\.2, which is kept back from pods/ }],
    ["10.244.3.50", { code: "INVALID_CONFIG", message: /which is kept back/ }],
    ["10.9.0.1", { code: "INVALID_CONFIG", message: /which lies in no pool of the pod: 10\.244\.3\.0\/26/ }],
    ["fd00::1", { code: "INVALID_CONFIG", message: /which lies in no pool of the pod/ }],
  ])("is told why it cannot have %s, and leaves nothing", async (address, { message, ...error }) => {
    makeNode({ reserved: ["10.244.3.50"] });
    await node.add(node.pod("first"));
    const before = node.held();
    ask(address);
    await expect(node.add(node.pod("a"))).rejects.toMatchObject({ ...error, message: expect.stringMatching(message) as string });
    expect(node.held()).toEqual(before);
    expect(node.podEndpoints()).toHaveLength(1);
  });

  test("names the pod that has it", async () => {
    makeNode();
    const args: CniArguments = { podNamespace: "shop", podName: "web-0" };
    node.config = withRequest({ config: node.config, warnings: [] }, {}, args).config;
    await node.add(node.pod("first"));
    ask("10.244.3.3");
    await expect(node.add(node.pod("a"))).rejects.toThrow("pod shop/web-0 has it");
  });

  test("waits while it rests, for the floor like any other, and keeps nobody waiting meanwhile", async () => {
    makeNode({}, false);
    const first = node.pod("first");
    await node.add(first);
    await node.del(first);
    ask("10.244.3.3");
    const pod = node.pod("a");
    const waiting = node.add(pod);
    await passTime(4_000);
    expect(addressOf(pod)).toBeUndefined();
    node.config = buildConfig({ ipam: { cidr: "10.244.3.0/26", blockSize: 28 } });
    const other = node.pod("b");
    await node.add(other);
    expect(addressOf(other)).toBe("10.244.3.4");
    await passTime(1_500);
    await waiting;
    expect(addressOf(pod)).toBe("10.244.3.3");
  });

  test("gives up with the address named when it rests for longer than ADDs wait", async () => {
    makeNode({ waitSeconds: 2, reuseFloorSeconds: 0 }, false);
    const first = node.pod("first");
    await node.add(first);
    await node.del(first);
    ask("10.244.3.3");
    const failure = expect(node.add(node.pod("a"))).rejects.toMatchObject({
      code: "ADDRESS_EXHAUSTED",
      message: expect.stringContaining("10.244.3.3 that the pod asks for rests") as string,
    });
    await passTime(2_500);
    await failure;
    expect(node.held().addresses).toEqual([]);
  });

  test("fails when HNS says that the address is in use, and takes no other in its place", async () => {
    makeNode();
    await node.add(node.pod("first"));
    node.foreignEndpoint("left by another tool", "10.244.3.9");
    ask("10.244.3.9");
    await expect(node.add(node.pod("a"))).rejects.toMatchObject({
      code: "ADDRESS_CONFLICT",
      message: expect.stringContaining("10.244.3.9, and HNS says that it is in use") as string,
    });
    expect(node.address("10.244.3.9")).toMatchObject({ state: "quarantined", owner: "conflict" });
    expect(node.held().attachments).toHaveLength(1);
    expect(node.podEndpoints()).toHaveLength(2);
  });
});
