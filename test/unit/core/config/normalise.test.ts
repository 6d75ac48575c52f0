import fc from "fast-check";
import { PluginError } from "../../../../src/core/base/errors.ts";
import { findCidr, findIp } from "../../../../src/core/base/ip.ts";
import { normalise, normaliseForDelete } from "../../../../src/core/config/normalise.ts";
import { matching } from "../cni/matchers.ts";

type Raw = Record<string, unknown>;

/** The shortest useful configuration list, as people write it. */
const CONF_LIST = {
  cniVersion: "1.1.0",
  name: "pods",
  plugins: [
    {
      type: "hns-cni",
      mode: "l2bridge",
      adapter: "Ethernet",
      clusterCidrs: ["10.244.0.0/16"],
      serviceCidrs: ["10.96.0.0/12"],
      dns: { nameservers: ["10.96.0.10"], search: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"] },
      capabilities: { portMappings: true, dns: true },
      ipam: { type: "hns-cni", cidr: "10.244.3.0/24" },
    },
  ],
};

/** The plugin object a runtime makes of it. */
function build(changes: Raw = {}): Raw {
  return { ...CONF_LIST.plugins[0], name: CONF_LIST.name, cniVersion: CONF_LIST.cniVersion, ...changes };
}

function without(key: string): Raw {
  return Object.fromEntries(Object.entries(build()).filter(([name]) => name !== key));
}

function withIpam(changes: Raw): Raw {
  return build({ ipam: { type: "hns-cni", cidr: "10.244.3.0/24", ...changes } });
}

function withPorts(...portMappings: unknown[]): Raw {
  return build({ runtimeConfig: { portMappings } });
}

function readFault(raw: Raw, read: (raw: Raw) => unknown = normalise): PluginError {
  try {
    read(raw);
  } catch (thrown) {
    if (thrown instanceof PluginError) return thrown;
    throw thrown;
  }
  throw new Error("no fault was reported");
}

describe("normalise", () => {
  test("reads the shortest useful configuration list", () => {
    expect(normalise(build())).toEqual({
      config: {
        networkName: "pods",
        mode: "l2bridge",
        adapter: "Ethernet",
        clusterCidrs: [findCidr("10.244.0.0/16")],
        serviceCidrs: [findCidr("10.96.0.0/12")],
        dns: { nameservers: ["10.96.0.10"], search: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"], options: [] },
        gatewayMode: "host-endpoint",
        loopbackDsr: true,
        vsid: 4096,
        vxlanPort: 4789,
        endpointMacPrefix: "0E-2A",
        additionalRoutes: [],
        ipMasq: false,
        statusFailsOnExhaustion: false,
        logLevel: "info",
        callTimeoutMs: 30_000,
        operationTimeoutMs: 90_000,
        reclaimGraceMs: 60_000,
        ipam: {
          pools: [{ cidr: findCidr("10.244.3.0/24"), blockSize: 26, gateway: findIp("10.244.3.1") }],
          cooldownMs: 30_000,
          waitMs: 20_000,
          reuseFloorMs: 5_000,
          sticky: "statefulset",
        },
        portMappings: [],
        localRoutedPortMapping: false,
        allowAclPortMapping: false,
        policies: { endpoint: [], network: [], subnet: [] },
      },
      warnings: [],
    });
  });

  test("takes every optional key", () => {
    const { config, warnings } = normalise(
      build({
        gatewayMode: "ipam",
        loopbackDSR: false,
        statusFailsOnExhaustion: true,
        stateDir: "D:\\state",
        logLevel: "debug",
        logFile: "D:\\state\\plugin.log",
        callTimeoutSeconds: 0.5,
        operationTimeoutSeconds: 60,
        dns: { domain: "cluster.local" },
        ipam: { type: "hns-cni", cidr: "10.244.3.0/24", blockSize: 28, cooldownSeconds: 0, gateway: "10.244.3.9" },
      }),
    );
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      gatewayMode: "ipam",
      loopbackDsr: false,
      statusFailsOnExhaustion: true,
      stateDir: "D:\\state",
      logLevel: "debug",
      logFile: "D:\\state\\plugin.log",
      callTimeoutMs: 500,
      operationTimeoutMs: 60_000,
      dns: { nameservers: [], domain: "cluster.local", search: [], options: [] },
      ipam: { pools: [{ blockSize: 28, gateway: findIp("10.244.3.9") }], cooldownMs: 0 },
    });
  });

  test("does not change the document it is given", () => {
    const raw = build({ ADAPTER: "Second", runtimeConfig: { dns: null } });
    const before = structuredClone(raw);
    normalise(raw);
    expect(raw).toEqual(before);
  });

  test("the default block is as large as a range that is smaller than a block", () => {
    expect(normalise(withIpam({ cidr: "10.244.3.0/28" })).config.ipam.pools[0].blockSize).toBe(28);
  });

  test("without adapter HNS chooses one, without ranges there are none", () => {
    const { adapter, clusterCidrs, serviceCidrs } = normalise({
      name: "pods",
      mode: "l2bridge",
      ipam: { type: "hns-cni", cidr: "10.244.3.0/24" },
    }).config;
    expect({ adapter, clusterCidrs, serviceCidrs }).toEqual({ adapter: undefined, clusterCidrs: [], serviceCidrs: [] });
  });

  test("takes IPv6 ranges of the cluster beside IPv4", () => {
    expect(normalise(build({ clusterCidrs: ["10.244.0.0/16", "fd00::/48"] })).config.clusterCidrs).toHaveLength(2);
  });
});

describe("normalise: keys", () => {
  test("match in any case and null means absent (point 30)", () => {
    const raw = {
      Name: "pods",
      MODE: "l2bridge",
      Adapter: "Ethernet",
      ClusterCIDRs: ["10.244.0.0/16"],
      ServiceCIDRs: ["10.96.0.0/12"],
      DNS: { Nameservers: ["10.96.0.10"], Options: null },
      StateDir: null,
      IPAM: { Type: "hns-cni", CIDR: "10.244.3.0/24", BlockSize: null },
      RuntimeConfig: {
        portMappings: [{ HostPort: 8080, ContainerPort: 80, Protocol: "TCP", HostIP: "" }],
        dns: { Servers: ["10.96.0.53"], Searches: null, Options: ["ndots:5"] },
      },
    };
    const { config, warnings } = normalise(raw);
    expect(warnings).toEqual([]);
    expect(config.portMappings).toEqual([{ hostPort: 8080, containerPort: 80, protocol: "tcp" }]);
    expect(config.dns).toEqual({ nameservers: ["10.96.0.53"], search: [], options: ["ndots:5"] });
    expect(config.ipam.pools[0].blockSize).toBe(26);
    expect(config).not.toHaveProperty("stateDir");
  });

  test("unknown ones are warned about with their path, never fatal (point 31); reserved ones are passed over", () => {
    const raw = build({
      colour: "red",
      "cni.dev/attachments": [],
      ipam: { type: "hns-cni", cidr: "10.244.3.0/24", routes: [] },
      __proto__x: 1,
    });
    expect(normalise(raw).warnings).toEqual([
      "unknown key ipam.routes is ignored",
      "unknown key colour is ignored",
      "unknown key __proto__x is ignored",
    ]);
  });

  test("a key named like a part of every object is unknown, not found by inheritance", () => {
    const raw = JSON.parse(JSON.stringify(build()).replace("{", '{"__proto__":{"adapter":"x"},"constructor":1,')) as Raw;
    expect(normalise(raw).warnings).toEqual(["unknown key __proto__ is ignored", "unknown key constructor is ignored"]);
  });

  test("of two that differ in case the last one wins, with a warning", () => {
    const { config, warnings } = normalise(build({ ADAPTER: "Second" }));
    expect(config.adapter).toBe("Second");
    expect(warnings).toEqual(["key adapter is given as adapter and ADAPTER; the last one counts"]);
  });

  test("a range outside the cluster's and an unused gateway are warned about", () => {
    const { warnings } = normalise(build({ ipam: { type: "hns-cni", cidr: "10.9.0.0/24", gateway: "10.9.0.5" } }));
    expect(warnings).toEqual([
      matching(/^ipam\.cidr 10\.9\.0\.0\/24 lies in none of clusterCidrs/),
      "ipam.gateway is ignored: gatewayMode is host-endpoint",
    ]);
  });
});

describe("normalise: faults", () => {
  const cases: [string, Raw, string[]][] = [
    ["a missing ipam section", without("ipam"), ["ipam is missing", '"cidr"']],
    ["an ipam section without a key of ours", build({ ipam: { subnet: "172.19.208.0/20" } }), ["ipam.type is missing"]],
    ["a missing name", without("name"), ["name is missing"]],
    ["another mode", build({ mode: "ics" }), ['mode is "ics": must be one of l2bridge, overlay', 'set "l2bridge"']],
    ["a blank adapter", build({ adapter: " " }), ['adapter is " "', "Get-NetAdapter"]],
    ["an empty adapter", build({ adapter: "" }), ['adapter is ""', "Get-NetAdapter"]],
    [
      "host bits in a range",
      build({ clusterCidrs: ["10.244.3.1/16"] }),
      ['clusterCidrs[0] is "10.244.3.1/16": has host bits set', '"10.244.0.0/16"'],
    ],
    ["a range that is none", build({ serviceCidrs: ["10.96.0.0/12", "services"] }), ['serviceCidrs[1] is "services": is no network']],
    ["a range of another type", build({ clusterCidrs: [12] }), ["clusterCidrs[0] is 12: must be string"]],
    [
      "a name server that is no address",
      build({ dns: { nameservers: ["dns.local"] } }),
      ['dns.nameservers[0] is "dns.local": is no IP address'],
    ],
    ["a call timeout of 0", build({ callTimeoutSeconds: 0 }), ["callTimeoutSeconds is 0: must be > 0"]],
    ["a negative operation timeout", build({ operationTimeoutSeconds: -1 }), ["operationTimeoutSeconds is -1: must be > 0"]],
    ["a timeout as text", build({ operationTimeoutSeconds: "90" }), ['operationTimeoutSeconds is "90": must be number']],
    ["a relative state folder", build({ stateDir: "state" }), ['stateDir is "state"', "absolute path"]],
    ["an unknown log level", build({ logLevel: "trace" }), ['logLevel is "trace": must be one of error, warn, info, debug']],
    ["another IPAM plugin", build({ ipam: { type: "host-local", ranges: [] } }), ['ipam.type is "host-local"', "is another plugin"]],
    ["an IPv6 pod range", withIpam({ cidr: "fd00::/64" }), ["ipam.cidr", "is an IPv6 network", "no pods with IPv6 alone", '"cidrs": [']],
    ["two pod ranges in one text", withIpam({ cidr: "10.0.0.0/24,fd00::/64" }), ["ipam.cidr", "names several ranges", "ipam.cidrs"]],
    ["two pod ranges in a list", withIpam({ cidr: ["10.0.0.0/24", "fd00::/64"] }), ["ipam.cidr", "must be string", "ipam.cidrs"]],
    ["host bits in the pod range", withIpam({ cidr: "10.244.3.5/24" }), ["has host bits set", '"10.244.3.0/24"']],
    ["a pod range that is too small", withIpam({ cidr: "10.244.3.0/30" }), ["ipam.cidr", "has 4 addresses", "at most 29"]],
    ["a block larger than the range", withIpam({ blockSize: 23 }), ["ipam.blockSize is 23", "larger than ipam.cidr", "from 24 to 29"]],
    ["a block that Windows needs for itself", withIpam({ blockSize: 30 }), ["ipam.blockSize is 30", "from 24 to 29"]],
    ["a broken block size", withIpam({ blockSize: 26.5 }), ["ipam.blockSize is 26.5: must be integer"]],
    ["a negative cool-down", withIpam({ cooldownSeconds: -1 }), ["ipam.cooldownSeconds is -1"]],
    ["a gateway outside the range", withIpam({ gateway: "10.0.0.1" }), ["ipam.gateway", "no usable address of ipam.cidr 10.244.3.0/24"]],
    ["the broadcast address as gateway", withIpam({ gateway: "10.244.3.255" }), ["ipam.gateway", "no usable address"]],
    ["a gateway that is no address", withIpam({ gateway: "gw" }), ['ipam.gateway is "gw": is no IP address']],
    ["pods among the services", build({ serviceCidrs: ["10.244.0.0/16"] }), ["serviceCidrs[0]", "overlaps ipam.cidr 10.244.3.0/24"]],
    [
      "a host port beyond 65535",
      withPorts({ hostPort: 65536, containerPort: 80 }),
      ["runtimeConfig.portMappings[0].hostPort is 65536: is no port"],
    ],
    ["a container port of 0", withPorts({ hostPort: 80, containerPort: 0 }), ["runtimeConfig.portMappings[0].containerPort is 0"]],
    ["no container port", withPorts({ hostPort: 80 }), ["runtimeConfig.portMappings[0].containerPort is missing", "1 to 65535"]],
    ["another protocol", withPorts({ hostPort: 80, containerPort: 80, protocol: "icmp" }), ['protocol is "icmp"', "tcp, udp or sctp"]],
    ["a host address that is none", withPorts({ hostPort: 80, containerPort: 80, hostIP: "node" }), ['hostIP is "node": is no IP address']],
    ["a pod's name server that is no address", build({ runtimeConfig: { dns: { Servers: ["x"] } } }), ["runtimeConfig.dns.servers[0]"]],
  ];

  test.each(cases)("%s", (_, raw, parts) => {
    const fault = readFault(raw);
    expect(fault.code).toBe("INVALID_CONFIG");
    expect(fault.message).toMatch(/has 1 fault:/);
    for (const part of parts) expect(fault.message).toContain(part);
  });

  test("are reported all at once, schema and meaning together", () => {
    const raw = build({
      mode: "NAT",
      adapter: "",
      callTimeoutSeconds: 0,
      ipam: { type: "hns-cni", cidr: "10.244.3.1/24", blockSize: "26" },
    });
    const { message } = readFault(raw);
    expect(message).toMatch(/has 5 faults: \(1\) .*\(5\) /);
    for (const path of ["mode", "adapter", "callTimeoutSeconds", "ipam.cidr", "ipam.blockSize"]) expect(message).toContain(`) ${path} is `);
  });

  test("never show the whole of a long value, nor what is inside of objects", () => {
    const secret = `${"x".repeat(64)}topsecret`;
    const { message } = readFault(build({ adapter: { token: "hunter2" }, logLevel: secret, stateDir: [secret] }));
    expect(message).not.toContain("topsecret");
    expect(message).not.toContain("hunter2");
    expect(message).toContain(`${"x".repeat(64)}…`);
  });
});

describe("normalise: port mappings (point 81)", () => {
  test("entries without a host port are ignored, whatever else they say", () => {
    const raw = withPorts({ HostPort: 0, ContainerPort: 70_000, Protocol: "icmp" }, { containerPort: 80 }, { hostPort: null });
    expect(normalise(raw).config.portMappings).toEqual([]);
  });

  test.each(["TCP", "tcp", "", undefined])("protocol %p is tcp", (protocol) => {
    const [mapping] = normalise(withPorts({ hostPort: 80, containerPort: 8080, protocol })).config.portMappings;
    expect(mapping).toEqual({ hostPort: 80, containerPort: 8080, protocol: "tcp" });
  });

  test.each(["", "0.0.0.0", "::"])("host address %p means all of them", (hostIP) => {
    expect(normalise(withPorts({ hostPort: 80, containerPort: 80, hostIP })).config.portMappings[0]?.hostIp).toBeUndefined();
  });

  const web = { hostPort: 80, containerPort: 80 };
  test.each([
    ["the same port and protocol", web, { ...web, containerPort: 81 }],
    ["one address and all of them", { ...web, hostIP: "192.168.1.10" }, web],
    ["the same address", { ...web, hostIP: "192.168.1.10" }, { ...web, hostIP: "192.168.1.10" }],
  ])("a host port given twice is a fault: %s", (_, first, second) => {
    expect(readFault(withPorts(first, second)).message).toContain(
      "portMappings[1].hostPort is 80: takes the same port of the node as runtimeConfig.portMappings[0] (tcp)",
    );
  });

  test.each([
    ["another protocol", web, { ...web, protocol: "udp" }],
    ["another address", { ...web, hostIP: "192.168.1.10" }, { ...web, hostIP: "192.168.1.11" }],
  ])("a host port given twice is fine with %s", (_, first, second) => {
    expect(normalise(withPorts(first, second)).config.portMappings).toHaveLength(2);
  });
});

describe("normalise: DNS (point 35)", () => {
  const network = { nameservers: ["10.96.0.10"], domain: "cluster.local", search: ["svc"], options: ["ndots:5"] };
  test.each([
    ["nothing of the pod keeps the network's", {}, network],
    ["empty lists keep the network's", { Servers: [], Searches: null, Options: [] }, network],
    ["servers alone", { Servers: ["1.1.1.1"] }, { ...network, nameservers: ["1.1.1.1"] }],
    ["searches alone", { Searches: ["a", "b"] }, { ...network, search: ["a", "b"] }],
    ["options alone", { Options: ["ndots:2"] }, { ...network, options: ["ndots:2"] }],
  ])("%s", (_, pod, expected) => {
    expect(normalise(build({ dns: network, runtimeConfig: { dns: pod } })).config.dns).toEqual(expected);
  });
});

describe("normaliseForDelete", () => {
  const defaults = { networkName: "pods", logLevel: "info", callTimeoutMs: 30_000, operationTimeoutMs: 90_000, reclaimGraceMs: 60_000 };

  test("needs nothing but the name", () => {
    expect(normaliseForDelete({ name: "pods" })).toEqual({ config: defaults, warnings: [] });
  });

  test("reads its own keys in any case", () => {
    expect(normaliseForDelete(build({ STATEDIR: "C:\\s", callTimeoutSeconds: 5 })).config).toEqual({
      ...defaults,
      stateDir: "C:\\s",
      callTimeoutMs: 5000,
    });
  });

  test.each([
    [{ type: "hns-cni", cidr: "10.244.3.0/24", reclaimGraceSeconds: 5 }, 5_000],
    [{ type: "hns-cni", cidr: "broken", RECLAIMGRACESECONDS: 0 }, 0],
    [{ type: "hns-cni", cidr: "10.244.3.0/24", reclaimGraceSeconds: -1 }, 60_000],
    [{ type: "another", reclaimGraceSeconds: { days: 2 } }, 60_000],
  ])("reads the grace time of leaked addresses in %j, or takes the default", (ipam, reclaimGraceMs) => {
    expect(normaliseForDelete(build({ ipam })).config).toEqual({ ...defaults, reclaimGraceMs });
  });

  test("bad values give way to defaults, with a warning for those it reads", () => {
    const raw = {
      name: "pods",
      stateDir: "relative",
      logLevel: 7,
      callTimeoutSeconds: -1,
      operationTimeoutSeconds: "x",
      ipam: "broken",
      mode: [],
      runtimeConfig: 5,
    };
    expect(normaliseForDelete(raw)).toEqual({
      config: defaults,
      warnings: [
        matching(/^callTimeoutSeconds is -1: .*default is used/),
        matching(/^operationTimeoutSeconds is "x"/),
        matching(/^stateDir is "relative"/),
        matching(/^logLevel is 7/),
      ],
    });
  });

  test.each([[{}], [{ name: "" }], [{ name: 5 }], [{ name: "a b" }]])("a name like in %j is a fault", (raw) => {
    expect(readFault(raw, normaliseForDelete)).toMatchObject({ code: "INVALID_CONFIG", data: { field: "name" } });
  });
});

describe("any document", () => {
  const ipam = fc.record({
    type: fc.constant("hns-cni"),
    cidr: fc.oneof(fc.constant("10.244.3.0/24"), fc.jsonValue()),
    blockSize: fc.jsonValue(),
    gateway: fc.jsonValue(),
  });
  const mapping = fc.record(
    { HostPort: fc.jsonValue(), containerPort: fc.jsonValue(), hostIP: fc.jsonValue(), protocol: fc.jsonValue() },
    { requiredKeys: [] },
  );
  const changes = fc.record(
    {
      ipam: fc.oneof(ipam, fc.jsonValue()),
      runtimeConfig: fc.record({ portMappings: fc.oneof(fc.array(mapping), fc.jsonValue()), dns: fc.jsonValue() }),
      clusterCidrs: fc.jsonValue(),
      dns: fc.jsonValue(),
      logLevel: fc.jsonValue(),
      callTimeoutSeconds: fc.jsonValue(),
      stateDir: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const raw = fc.oneof(changes.map(build), fc.dictionary(fc.string(), fc.jsonValue()));

  test("property: gives a configuration or INVALID_CONFIG, and DEL needs its name alone", () => {
    fc.assert(
      fc.property(raw, (document) => {
        try {
          normalise(document);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: "INVALID_CONFIG" });
        }
        const { config } = normaliseForDelete({ ...document, name: "pods" });
        expect(config).toMatchObject({ networkName: "pods", logLevel: matching(/^(error|warn|info|debug)$/) });
      }),
      { numRuns: 500 },
    );
  });
});
