/** A pod's life from ADD to the last DEL with the README's configuration, in the shapes containerd really sends. */
import { CONTAINERD_RUNTIME_CONFIG, CniNode, expectSilence, parseDocument, parseError, type Pod } from "../support/cni-node.ts";
import { endpointsOf, expectNothingLeft } from "../support/leftovers.ts";
import { describePrograms, type CniProgram } from "../support/programs.ts";

const SUPPORTED = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

describePrograms("the life of a pod", (program: CniProgram) => {
  let node: CniNode;

  beforeAll(async () => {
    node = await CniNode.start(program);
  });
  afterAll(() => node.close());
  beforeEach(() => node.renew());

  it("answers VERSION with and without stdin", async () => {
    const env = { CNI_COMMAND: "VERSION", CNI_NETNS: "dummy", CNI_IFNAME: "dummy", CNI_PATH: "dummy" };
    for (const [stdin, cniVersion] of [
      ['{"cniVersion":"1.0.0"}', "1.0.0"],
      ["", "1.1.0"],
    ] as const) {
      const outcome = await node.run(stdin, env);
      expect(outcome).toMatchObject({ code: 0, stderr: "" });
      expect(parseDocument(outcome)).toEqual({ cniVersion, supportedVersions: SUPPORTED });
    }
    expect(await node.emulator.calls()).toEqual([]);
  });

  it("attaches, answers again, checks, and detaches until nothing is left", async () => {
    const pod = await node.makePod(CONTAINERD_RUNTIME_CONFIG);
    const first = await node.call("ADD", pod);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    const [endpoint] = await endpointsOf(node, pod);
    expect(endpoint).toMatchObject({ name: `${pod.containerId}_pods`, addresses: ["10.244.3.3/24"] });
    expect(parseDocument(first)).toEqual({
      cniVersion: "1.1.0",
      interfaces: [{ name: "eth0", mac: endpoint?.mac.toLowerCase().replaceAll("-", ":"), sandbox: pod.netns }],
      ips: [{ interface: 0, address: "10.244.3.3/24", gateway: "10.244.3.2" }],
      routes: [{ dst: "0.0.0.0/0", gw: "10.244.3.2" }],
      dns: { nameservers: ["10.96.0.10"], search: ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local"] },
    });

    expect(await node.call("ADD", pod)).toEqual(first);
    expect(await node.emulator.endpoints()).toHaveLength(2);
    await node.callSilently("CHECK", pod, { prevResult: parseDocument(first) });
    expectSilence(await node.callForNetwork("STATUS"));

    await node.callSilently("DEL", pod, { prevResult: parseDocument(first) });
    await node.callSilently("DEL", pod, { prevResult: parseDocument(first) });
    await node.emulator.deleteNamespace(pod.netns);
    await node.callSilently("DEL", pod, { env: { CNI_NETNS: "" } });
    await expectNothingLeft(node);
  });

  it("collects what belongs to no pod that the runtime knows, and leaves the others", async () => {
    const [kept, lost] = [await node.makePod(), await node.makePod()];
    const result = await node.add(kept);
    await node.add(lost);
    const valid = [{ containerID: kept.containerId, ifname: "eth0" }];
    expectSilence(await node.callForNetwork("GC", { config: { "cni.dev/valid-attachments": valid, "cni.dev/attachments": valid } }));
    expect(await endpointsOf(node, lost)).toEqual([]);
    await node.callSilently("CHECK", kept, { prevResult: result });
    expectSilence(await node.callForNetwork("GC", { config: { "cni.dev/valid-attachments": [] } }));
    await expectNothingLeft(node);
  });

  describe("CHECK of an attachment that somebody changed", () => {
    const changes: [string, (pod: Pod, endpoint: string) => Promise<unknown>, (pod: Pod, endpoint: string) => string][] = [
      ["a deleted endpoint", (_, id) => node.emulator.deleteEndpoint(id), (_, id) => `HNS has no endpoint ${id.toLowerCase()}`],
      [
        "an endpoint taken out of its namespace",
        (pod, id) =>
          node.emulator.modifyNamespace(pod.netns, { ResourceType: "Endpoint", RequestType: "Remove", Settings: { EndpointId: id } }),
        (pod) => `the endpoint is in no namespace, wanted ${pod.netns}`,
      ],
      [
        "a policy replaced",
        (_, id) =>
          node.emulator.modifyEndpoint(id, {
            ResourceType: "Policy",
            RequestType: "Update",
            Settings: { Policies: [{ Type: "SDNRoute", Settings: { DestinationPrefix: "10.99.0.0/16", NeedEncap: true } }] },
          }),
        () => 'the endpoint lacks the policy SDNRoute {"DestinationPrefix":"10.96.0.0/12","NeedEncap":true}',
      ],
    ];

    it.each(changes)("%s: fails with code 103 and names the difference", async (_, change, expected) => {
      const pod = await node.makePod();
      const result = await node.add(pod);
      const endpoint = (await endpointsOf(node, pod))[0]?.id ?? "";
      await change(pod, endpoint);
      const { code, msg } = parseError(await node.call("CHECK", pod, { prevResult: result }));
      expect(code).toBe(103);
      expect(msg).toContain(expected(pod, endpoint));
      await node.callSilently("DEL", pod);
      await expectNothingLeft(node);
    });
  });
});
