import { type Cidr, findCidr, findIp, type IpAddress } from "../../../../src/core/base/ip.ts";
import { buildLoopbackDsr } from "../../../../src/core/policy/loopback-dsr.ts";
import { buildOutboundNat } from "../../../../src/core/policy/outbound-nat.ts";
import { buildPortMappings } from "../../../../src/core/policy/port-mapping.ts";
import { buildSdnRoutes } from "../../../../src/core/policy/sdn-route.ts";

function cidrs(...texts: string[]): Cidr[] {
  return texts.map((text) => findCidr(text)).filter((cidr) => cidr !== undefined);
}

function ip(text: string): IpAddress {
  const found = findIp(text);
  if (found === undefined) throw new Error(text);
  return found;
}

describe("outbound NAT", () => {
  // Source: the endpoint document that win-bridge sends, and its SNAT exception policy in version 2 form.
  test("names the networks that keep the pod's address, in one policy", () => {
    expect(buildOutboundNat(cidrs("10.244.0.0/16", "10.96.0.0/12"))).toEqual([
      { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16", "10.96.0.0/12"] } },
    ]);
  });

  test("has one policy a family, and each network once", () => {
    expect(buildOutboundNat(cidrs("fd00::/48", "10.244.0.0/16", "10.244.0.0/16", "fd01::/48"))).toEqual([
      { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16"] } },
      { Type: "OutBoundNAT", Settings: { Exceptions: ["fd00::/48", "fd01::/48"] } },
    ]);
  });

  test("is absent without an exception", () => {
    expect(buildOutboundNat([])).toEqual([]);
  });
});

describe("SDN routes", () => {
  // Source: the endpoint document that win-bridge sends.
  test("are one a destination, each once, with encapsulation", () => {
    expect(buildSdnRoutes(cidrs("10.96.0.0/12", "10.0.0.0/8", "10.96.0.0/12"))).toEqual([
      { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NeedEncap: true } },
      { Type: "SDNRoute", Settings: { DestinationPrefix: "10.0.0.0/8", NeedEncap: true } },
    ]);
  });
});

describe("port mappings", () => {
  // Source: the endpoint document that win-bridge sends with a port mapping; protocol numbers by IANA.
  test.each([
    ["tcp", 6],
    ["udp", 17],
    ["sctp", 132],
  ] as const)("of %s carry protocol number %i", (protocol, number) => {
    expect(buildPortMappings([{ hostPort: 8080, containerPort: 80, protocol }])).toEqual([
      { Type: "PortMapping", Settings: { InternalPort: 80, ExternalPort: 8080, Protocol: number, VIP: "" } },
    ]);
  });

  test("carry the address of the node that listens, and keep their order", () => {
    const mappings = [
      { hostPort: 8443, containerPort: 443, protocol: "tcp", hostIp: ip("10.0.0.4") },
      { hostPort: 53, containerPort: 5353, protocol: "udp" },
    ] as const;
    expect(buildPortMappings(mappings).map(({ Settings }) => Settings)).toEqual([
      { InternalPort: 443, ExternalPort: 8443, Protocol: 6, VIP: "10.0.0.4" },
      { InternalPort: 5353, ExternalPort: 53, Protocol: 17, VIP: "" },
    ]);
  });
});

describe("loopback DSR", () => {
  // Source: the policy that win-bridge and Azure's plugin add for loopbackDSR / enableLoopbackDSR.
  test("is one policy an address", () => {
    expect(buildLoopbackDsr([ip("10.240.0.5"), ip("fd00::5")])).toEqual([
      { Type: "OutBoundNAT", Settings: { Destinations: ["10.240.0.5"] } },
      { Type: "OutBoundNAT", Settings: { Destinations: ["fd00::5"] } },
    ]);
  });
});
