/** The protocol of every version of the CNI specification at the program's border: results, errors, and requests that are refused. */
import { buildVariables, CniNode, parseDocument, parseError, type Pod } from "../support/cni-node.ts";
import { endpointsOf, expectNothingLeft } from "../support/leftovers.ts";
import { describePrograms, type CniProgram } from "../support/programs.ts";
import { containing } from "../unit/core/cni/matchers.ts";

const VERSIONS = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const;
type Version = (typeof VERSIONS)[number];

const DNS = { nameservers: ["10.96.0.10"], search: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"] };
const ROUTES = [{ dst: "0.0.0.0/0", gw: "10.244.3.2" }];
const ADDRESS = "10.244.3.3/24";
const GATEWAY = "10.244.3.2";

/** The result as the text of each version has it; `mac` and `sandbox` are the pod's. */
function expectedResult(cniVersion: Version, mac: string, sandbox: string): object {
  const interfaces = [{ name: "eth0", mac, sandbox }];
  switch (cniVersion) {
    case "0.1.0":
    case "0.2.0":
      return { cniVersion, ip4: { ip: ADDRESS, gateway: GATEWAY, routes: ROUTES }, dns: DNS };
    case "0.3.0":
    case "0.3.1":
    case "0.4.0":
      return {
        cniVersion,
        interfaces,
        ips: [{ version: "4", interface: 0, address: ADDRESS, gateway: GATEWAY }],
        routes: ROUTES,
        dns: DNS,
      };
    case "1.0.0":
    case "1.1.0":
      return { cniVersion, interfaces, ips: [{ interface: 0, address: ADDRESS, gateway: GATEWAY }], routes: ROUTES, dns: DNS };
  }
}

describePrograms("versions of the specification", (program: CniProgram) => {
  let node: CniNode;

  beforeAll(async () => {
    node = await CniNode.start(program);
  });
  afterAll(() => node.close());
  beforeEach(() => node.renew());

  async function macOf(pod: Pod): Promise<string> {
    const [endpoint] = await endpointsOf(node, pod);
    return endpoint?.mac.toLowerCase().replaceAll("-", ":") ?? "";
  }

  it.each(VERSIONS)("ADD answers in the form of %s, and a failure with an error document", async (cniVersion) => {
    const pod = await node.makePod();
    const outcome = await node.call("ADD", pod, { cniVersion });
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(parseDocument(outcome)).toEqual(expectedResult(cniVersion, await macOf(pod), pod.netns));

    const gone = { ...(await node.makePod()), netns: "11111111-2222-3333-4444-555555555555" };
    const failure = await node.call("ADD", gone, { cniVersion });
    expect(parseError(failure)).toMatchObject({ cniVersion, code: 8, msg: containing(gone.netns) });
    expect(Object.keys(parseDocument(failure)).filter((key) => !["cniVersion", "code", "msg", "details"].includes(key))).toEqual([]);
    await node.callSilently("DEL", pod, { cniVersion, prevResult: parseDocument(outcome) });
    await expectNothingLeft(node);
  });

  it.each([
    ["0.4.0", { dns: {} }],
    ["1.0.0", {}],
  ])("a result without DNS in %s", async (cniVersion, dns) => {
    const outcome = await node.call("ADD", await node.makePod(), { cniVersion, config: { dns: null } });
    const { dns: found, ...rest } = parseDocument(outcome);
    expect(found === undefined ? {} : { dns: found }).toEqual(dns);
    expect(rest).toMatchObject({ cniVersion, ips: [{ address: ADDRESS }] });
  });

  it.each([
    ["CHECK", "0.3.1"],
    ["STATUS", "1.0.0"],
    ["GC", "1.0.0"],
  ] as const)("%s is refused in %s", async (command, cniVersion) => {
    const outcome =
      command === "CHECK"
        ? await node.call(command, await node.makePod(), { cniVersion })
        : await node.callForNetwork(command, { cniVersion });
    expect(parseError(outcome)).toMatchObject({ cniVersion, code: 1, msg: containing(`config version does not allow ${command}`) });
  });

  it.each(["0.9.0", "1.1.1", "9.9.9"])("the version %s is refused with those there are", async (cniVersion) => {
    const { code, details } = parseError(await node.call("ADD", await node.makePod(), { cniVersion }));
    expect({ code, details }).toEqual({ code: 1, details: `config is "${cniVersion}", plugin supports ${JSON.stringify(VERSIONS)}` });
    expect(await node.emulator.calls()).toEqual([]);
  });

  describe("a request that cannot be carried out", () => {
    afterEach(async () => {
      expect(await node.emulator.calls()).toEqual([]);
    });

    it.each([
      ["missing", undefined],
      ["empty", ""],
    ])("a command that is %s has code 4", async (_, command) => {
      const pod = await node.makePod();
      const others = Object.entries(buildVariables("ADD", pod)).filter(([name]) => name !== "CNI_COMMAND");
      const env = Object.fromEntries(command === undefined ? others : [...others, ["CNI_COMMAND", command]]);
      expect(parseError(await node.run(node.buildInput({}, {}), env))).toMatchObject({ code: 4, msg: containing("CNI_COMMAND") });
    });

    it("an unknown command has code 4", async () => {
      const outcome = await node.call("ADD", await node.makePod(), { env: { CNI_COMMAND: "add" } });
      expect(parseError(outcome)).toMatchObject({ code: 4, msg: containing("unknown CNI_COMMAND: add") });
    });

    it("missing variables have code 4 and are all named", async () => {
      const outcome = await node.call("ADD", await node.makePod(), {
        env: { CNI_CONTAINERID: "", CNI_NETNS: "", CNI_IFNAME: "", CNI_PATH: "" },
      });
      const msg = containing("required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing");
      expect(parseError(outcome)).toMatchObject({ code: 4, msg });
    });

    it.each(["", "{", "null", "[]", '{"cniVersion":"1.1.0","name":"pods",', '{"cniVersion":1,"name":"pods"}'])(
      "stdin %j has code 6",
      async (stdin) => {
        const outcome = await node.run(stdin, buildVariables("ADD", await node.makePod()));
        expect(parseError(outcome)).toMatchObject({ cniVersion: "1.1.0", code: 6 });
      },
    );

    it("a faulty configuration has code 7 and every fault is named", async () => {
      const config = {
        mode: "bridge",
        clusterCidrs: ["10.244.0.1/16"],
        serviceCidrs: ["10.96.0.0/12", 7],
        gatewayMode: "magic",
        callTimeoutSeconds: 0,
        ipam: { type: "hns-cni", cidr: "10.244.3.0/30", cooldownSeconds: -1 },
      };
      const { code, msg } = parseError(await node.call("ADD", await node.makePod(), { config }));
      expect(code).toBe(7);
      expect(msg).toContain("the network configuration has 7 faults");
      for (const path of [
        "mode",
        "clusterCidrs[0]",
        "serviceCidrs[1]",
        "gatewayMode",
        "callTimeoutSeconds",
        "ipam.cidr",
        "ipam.cooldownSeconds",
      ]) {
        expect(msg).toContain(`${path} is `);
      }
    });
  });
});
