/** Whatever the configuration asks: what is sent is taken by HNS of that version, and what it lacks is not sent. */
import fc from "fast-check";
import { formatCidr, networkOf, type Cidr, type Family, type IpAddress } from "../../../../src/core/base/ip.ts";
import type { Fault } from "../../../../src/core/config/faults.ts";
import type { PolicyDocument } from "../../../../src/core/hcn/documents.ts";
import type { HnsVersion } from "../../../../src/core/hcn/features.ts";
import { buildAcl } from "../../../../src/core/policy/acl.ts";
import { checkAcl } from "../../../../src/core/policy/acl-check.ts";
import { addAllowTails } from "../../../../src/core/policy/acl-tails.ts";
import { composePolicies } from "../../../../src/core/policy/compose-policies.ts";
import { buildEncapOverhead } from "../../../../src/core/policy/encap-overhead.ts";
import { buildInterfaceConstraint } from "../../../../src/core/policy/interface-constraint.ts";
import { buildVlan } from "../../../../src/core/policy/isolation.ts";
import { buildL4Proxy, buildL4WfpProxy } from "../../../../src/core/policy/l4-proxy.ts";
import { buildLoopbackDsr } from "../../../../src/core/policy/loopback-dsr.ts";
import { buildDestinationNat, buildOutboundNat } from "../../../../src/core/policy/outbound-nat.ts";
import { buildPortMappingAcls, buildPortMappings } from "../../../../src/core/policy/port-mapping.ts";
import { buildProviderAddress } from "../../../../src/core/policy/provider-address.ts";
import { buildQos } from "../../../../src/core/policy/qos.ts";
import { readPolicies } from "../../../../src/core/policy/raw-policies.ts";
import { buildSdnRoutes } from "../../../../src/core/policy/sdn-route.ts";
import { textsIn } from "../../../../src/core/policy/policy-settings.ts";
import { filterUnsupported } from "../../../../src/core/policy/unsupported.ts";
import { decidePacket, type Packet } from "../../../emulator/model/acl.ts";
import { ModelKit } from "../../emulator/model-kit.ts";
import { VERSION_PRESETS } from "../../../emulator/model/features.ts";
import { createEndpointWith, version } from "./policy-kit.ts";

const RUNS = { numRuns: 200 };

const addresses: fc.Arbitrary<IpAddress> = fc.oneof(
  fc.nat(2 ** 32 - 1).map((value): IpAddress => ({ family: 4, value })),
  fc.bigInt(0n, 2n ** 128n - 1n).map((value): IpAddress => ({ family: 6, value })),
);
const cidrs: fc.Arbitrary<Cidr> = fc.tuple(addresses, fc.nat(32)).map(([address, prefix]) => networkOf(address, prefix));
const families: fc.Arbitrary<Family[]> = fc.subarray([4, 6]);
const ports = fc.integer({ min: 1, max: 65535 });
const ranges = fc.tuple(ports, ports).map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));
const ported = fc.constantFrom("tcp", "udp", "sctp");
const versions: fc.Arbitrary<HnsVersion> = fc.constantFrom(
  ...Object.values(VERSION_PRESETS).map(({ Major, Minor }) => ({ major: Major, minor: Minor })),
  ...["9.3", "10.1", "10.4", "11.0", "11.10", "12.0", "13.0", "14.0", "15.0"].map(version),
);

const mappings = fc.uniqueArray(
  fc
    .record({ hostPort: ports, containerPort: ports, protocol: ported, hostIp: fc.option(addresses, { nil: undefined }) })
    .map(({ hostIp, ...rest }) => ({ ...rest, ...(hostIp !== undefined && { hostIp }) })),
  { selector: ({ hostPort, protocol }) => `${hostPort}/${protocol}`, maxLength: 4 },
);

const rules: fc.Arbitrary<PolicyDocument> = fc
  .record({
    action: fc.constantFrom("Allow", "Block"),
    direction: fc.constantFrom("In", "Out"),
    ruleType: fc.constantFrom("Host", "Switch"),
    priority: fc.integer({ min: 1, max: 65535 }),
    protocols: fc.oneof(fc.array(ported, { minLength: 1 }), fc.array(fc.integer({ min: 0, max: 256 }))),
    localAddresses: fc.array(fc.oneof(addresses, cidrs), { maxLength: 3 }),
    remoteAddresses: fc.array(fc.oneof(addresses, cidrs), { maxLength: 3 }),
    localPorts: fc.array(ranges, { maxLength: 2 }),
    remotePorts: fc.array(ranges, { maxLength: 2 }),
  } as const)
  .map(buildAcl);

/** Every builder with whatever it takes. */
const built: fc.Arbitrary<PolicyDocument[]> = fc.oneof(
  fc
    .tuple(fc.array(cidrs), families, fc.array(addresses))
    .map(([nets, of, virtualIps]) => buildOutboundNat(nets, { families: of, virtualIps })),
  fc.tuple(fc.array(cidrs), fc.array(addresses)).map(([nets, virtualIps]) => buildDestinationNat(nets, virtualIps)),
  fc.array(addresses, { maxLength: 2 }).map(buildLoopbackDsr),
  fc.tuple(fc.array(cidrs), addresses, fc.boolean()).map(([nets, nextHop, needEncap]) => buildSdnRoutes(nets, { nextHop, needEncap })),
  fc.tuple(mappings, families, fc.boolean()).map(([list, of, localRoutedVip]) => buildPortMappings(list, { families: of, localRoutedVip })),
  mappings.map(buildPortMappingAcls),
  fc.tuple(fc.nat(), fc.nat()).map(([egressRate, egressBurst]) => buildQos({ egressRate, egressBurst }).policies),
  rules.filter((rule) => checkAcl(rule, "").length === 0).map((rule) => [rule]),
  addresses.map((address) => [buildProviderAddress(address)]),
  fc.nat(65535).map((bytes) => [buildEncapOverhead(bytes)]),
  fc.nat(2 ** 32 - 1).map((index) => [buildInterfaceConstraint({ index })]),
  fc.integer({ min: 1, max: 4094 }).map((id) => [buildVlan(id)]),
  fc
    .tuple(addresses, ports, cidrs)
    .map(([ip, port, destination]) => [buildL4Proxy({ ip, port, protocol: "tcp", destination, outboundNat: true })]),
  fc
    .tuple(ports, ports, fc.array(addresses), fc.array(ranges))
    .map(([inboundPort, outboundPort, ips, list]) => [
      buildL4WfpProxy({ inboundPort, outboundPort, userSid: "S-1-5-18", inboundExceptions: { addresses: ips, ports: list } }),
    ]),
);

test("what passes the filter of a version is taken by HNS of that version", () => {
  fc.assert(
    fc.property(built, versions, (policies, hns) => {
      const { policies: kept } = filterUnsupported(policies, { version: hns, isolation: "process" });
      expect(createEndpointWith(kept, hns)).toBe(0);
    }),
    RUNS,
  );
});

test("each policy is kept, told as left out, or refused", () => {
  fc.assert(
    fc.property(built, versions, fc.constantFrom("process", "hyperv"), (policies, hns, isolation) => {
      const { policies: kept, warnings, faults } = filterUnsupported(policies, { version: hns, isolation });
      expect(kept.length + warnings.length + faults.length).toBe(policies.length);
      if (policies.every(({ Type }) => Type === "ACL") && isolation === "process") expect(warnings).toEqual([]);
    }),
    RUNS,
  );
});

test("a rule that the check takes is taken by HNS, and one that it refuses for its protocols and ports is not", () => {
  fc.assert(
    fc.property(rules, (rule) => {
      const faults = checkAcl(rule, "rule");
      const isTaken = createEndpointWith([rule], version("15.4")) === 0;
      // HNS takes a rule about two families, which matches nothing.
      const isRefused = faults.some(({ path }) => path !== "rule.RemoteAddresses");
      expect(isTaken).toBe(!isRefused);
    }),
    RUNS,
  );
});

test("last rules change nothing on an HNS that lets pass what no rule speaks of", () => {
  const some = fc.array(
    fc.record({
      Action: fc.constantFrom("Allow", "Block", "Pass"),
      Direction: fc.constantFrom("In", "Out"),
      Protocols: fc.constantFrom("", "6", "6,17", "256"),
      RemoteAddresses: fc.constantFrom("", "10.0.0.0/8", "10.9.9.9"),
      Priority: fc.constantFrom(0, 100, 200, 65499, 65500, 65501, 65535),
    }),
    { maxLength: 5 },
  );
  const packets = fc.record({
    direction: fc.constantFrom("In", "Out"),
    protocol: fc.constantFrom(1, 6, 17),
    local: fc.constant("10.244.3.5"),
    remote: fc.constantFrom("10.9.9.9", "10.0.0.1", "192.168.0.1"),
  } as const);
  fc.assert(
    fc.property(some, packets, (settings, packet) => {
      const policies = settings.map((Settings) => ({ Type: "ACL", Settings }));
      expect(decideWith(addAllowTails(policies).policies, packet)).toBe(decideWith(policies, packet));
    }),
    { numRuns: 500 },
  );
});

function decideWith(policies: readonly PolicyDocument[], packet: Packet): string {
  const kit = new ModelKit();
  const { id } = kit.endpoint(kit.network(), { Policies: policies });
  const endpoint = kit.model.world.endpoints.get(id);
  const network = kit.model.world.networks.get(endpoint?.network ?? "");
  if (endpoint === undefined || network === undefined) throw new Error("no endpoint");
  return decidePacket(network, endpoint, packet).action;
}

test("what we build is read back as it is when a user writes it", () => {
  fc.assert(
    fc.property(built, (policies) => {
      const distinct = policies.filter(({ Type }) => Type !== "OutBoundNAT" || policies.length === 1);
      const faults: Fault[] = [];
      expect(readPolicies(distinct, "policies", faults).map(({ document }) => document)).toEqual(distinct);
      expect(faults).toEqual([]);
    }),
    RUNS,
  );
});

test("merging keeps every exception once, in one policy a family, and is taken by HNS", () => {
  const lists = fc.array(fc.array(cidrs, { maxLength: 4 }), { maxLength: 4 });
  fc.assert(
    fc.property(fc.array(cidrs), lists, (own, users) => {
      const raw = users.map((nets, index) => ({
        path: `p[${index}]`,
        document: { Type: "OutBoundNAT", Settings: { Exceptions: nets.map(formatCidr) } },
      }));
      const { policies } = composePolicies(buildOutboundNat(own), raw, { version: version("15.4"), isolation: "process" });
      const exceptions = policies.flatMap((policy) => textsIn(policy, "Exceptions"));
      expect([...exceptions].sort()).toEqual([...new Set([...own, ...users.flat()].map(formatCidr))].sort());
      expect(policies.length).toBeLessThanOrEqual(2);
      expect(createEndpointWith(policies, version("15.4"))).toBe(0);
    }),
    RUNS,
  );
});
