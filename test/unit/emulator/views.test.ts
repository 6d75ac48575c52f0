/** Version 1 and version 2 are two views of the same objects. */
import fc from "fast-check";
import { readEndpointV1, readNetworkV1 } from "../../emulator/model/documents-v1.ts";
import type { JsonObject } from "../../emulator/model/json.ts";
import { policyToV1, policyToV2 } from "../../emulator/model/policies-v1.ts";
import { L2_NETWORK, ModelKit } from "./model-kit.ts";

const V1 = { SchemaVersion: { Major: 1, Minor: 0 } };
const host = fc.integer({ min: 2, max: 254 });
const address = host.map((last) => `10.244.3.${last}`);
const prefix = fc.tuple(fc.nat(255), fc.integer({ min: 9, max: 32 })).map(([byte, length]) => `10.${byte}.0.0/${length}`);
const port = fc.integer({ min: 1, max: 65535 });
const name = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);

const policy = fc.oneof(
  fc.record({ Exceptions: fc.array(prefix, { maxLength: 3 }), VirtualIP: address }).map((Settings) => ({ Type: "OutBoundNAT", Settings })),
  fc.record({ DestinationPrefix: prefix, NeedEncap: fc.boolean() }).map((Settings) => ({ Type: "SDNRoute", Settings })),
  fc.record({ ProviderAddress: address }).map((Settings) => ({ Type: "ProviderAddress", Settings })),
  fc
    .record({ InternalPort: port, ExternalPort: port, Protocol: fc.constantFrom(6, 17) })
    .map((Settings) => ({ Type: "PortMapping", Settings })),
  fc
    .record({ Action: fc.constantFrom("Allow", "Block"), Direction: fc.constantFrom("In", "Out"), Protocols: fc.constantFrom("6", "256") })
    .map((Settings) => ({ Type: "ACL", Settings })),
  fc.record({ IP: address, Port: fc.constant("80"), OutboundNAT: fc.boolean() }).map((Settings) => ({ Type: "L4Proxy", Settings })),
  fc.record({ MaximumOutgoingBandwidthInBytes: fc.nat() }).map((Settings) => ({ Type: "QOS", Settings })),
);

const endpoint = fc.record({
  Name: name,
  IpConfigurations: address.map((IpAddress) => [{ IpAddress, PrefixLength: 24 }]),
  Routes: fc.option(
    address.map((NextHop) => [{ NextHop, DestinationPrefix: "0.0.0.0/0" }]),
    { nil: [] },
  ),
  MacAddress: host.map((last) => `0E-2A-0A-F4-03-${last.toString(16).padStart(2, "0").toUpperCase()}`),
  Dns: fc.record({ Search: fc.array(name, { maxLength: 3 }), ServerList: fc.array(address, { maxLength: 2 }) }),
  Policies: fc.uniqueArray(policy, { maxLength: 4, selector: ({ Type }) => Type }),
});

describe("version 1 and version 2", () => {
  test("say the same about any endpoint, however it was made", () => {
    fc.assert(
      fc.property(endpoint, (document) => {
        const kit = new ModelKit();
        const { handle, id } = kit.endpoint(kit.network(), document);
        const v2 = kit.query("Endpoint", handle);
        const v1 = kit.query("Endpoint", handle, V1);
        expect(kit.v1("GET", `/endpoints/${id}`).Output).toEqual(v1);
        const back = readEndpointV1(v1);
        for (const field of ["ID", "Name", "HostComputeNetwork", "Policies", "IpConfigurations", "Routes", "MacAddress", "Flags"])
          expect([field, back[field]]).toEqual([field, v2[field]]);
        expect(back["Dns"]).toEqual(v2["Dns"]);
        // The same document once more, through version 1: the same object comes out.
        kit.call("HcnDeleteEndpoint", id);
        expect(kit.v1("POST", "/endpoints", v1).Output).toEqual(v1);
      }),
    );
  });

  test("say the same about any network", () => {
    const subnet = fc.record({
      prefix: fc.nat(255).map((byte) => `10.${byte}.1.0/24`),
      vsid: fc.option(fc.integer({ min: 4096, max: 65535 }), { nil: undefined }),
    });
    const arbitrary = fc.record({ Name: name, Type: fc.constantFrom("L2Bridge", "Overlay", "L2Tunnel", "NAT"), subnet });
    fc.assert(
      fc.property(arbitrary, ({ Name, Type, subnet: { prefix: IpAddressPrefix, vsid } }) => {
        const Policies = vsid === undefined ? [] : [{ Type: "VSID", Settings: { IsolationId: vsid } }];
        const Routes = [{ NextHop: IpAddressPrefix.replace("0/24", "1"), DestinationPrefix: "0.0.0.0/0" }];
        const kit = new ModelKit();
        const handle = kit.network({ Name, Type, Ipams: [{ Type: "Static", Subnets: [{ IpAddressPrefix, Routes, Policies }] }] });
        const v2 = kit.query("Network", handle);
        const back = readNetworkV1(kit.query("Network", handle, V1));
        expect(back).toMatchObject({ ID: v2["ID"], Name: v2["Name"], Ipams: v2["Ipams"], Flags: v2["Flags"] });
        expect(back["Type"]).toBe(Type);
      }),
    );
  });

  test("have every policy in both spellings", () => {
    fc.assert(fc.property(policy, (given) => expect(policyToV2(policyToV1(given as JsonObject))).toEqual(given)));
    expect(policyToV2({ Type: "acl", Protocol: 256, LocalPort: 80, Action: "Block" })).toEqual({
      Type: "ACL",
      Settings: { Protocols: "256", LocalPorts: "80", Action: "Block" },
    });
    expect(policyToV2({ Type: "NAT", Protocol: "TCP", InternalPort: 80, ExternalPortReserved: true })).toEqual({
      Type: "PortMapping",
      Settings: { InternalPort: 80, Protocol: 6 },
    });
  });

  test.each([
    [
      { Type: "OutBoundNAT", ExceptionList: ["10.0.0.0/8"], VIP: "10.0.0.4" },
      "OutBoundNAT",
      { Exceptions: ["10.0.0.0/8"], VirtualIP: "10.0.0.4" },
    ],
    [{ Type: "ROUTE", DestinationPrefix: "10.0.0.0/8", NeedEncap: true }, "SDNRoute", { DestinationPrefix: "10.0.0.0/8", NeedEncap: true }],
    [{ Type: "PA", PA: "10.0.0.4" }, "ProviderAddress", { ProviderAddress: "10.0.0.4" }],
    [{ Type: "PROXY", ExceptionList: ["a"], OutboundNat: true }, "L4Proxy", { Exceptions: ["a"], OutboundNAT: true }],
    [{ Type: "VSID", VSID: 4096 }, "VSID", { IsolationId: 4096 }],
    [{ Type: "VLAN", VLAN: 7 }, "VLAN", { IsolationId: 7 }],
  ])("translate %j", (v1, Type, Settings) => {
    expect(policyToV2(v1)).toEqual({ Type, Settings });
    expect(policyToV1({ Type, Settings })).toEqual(v1);
  });

  test("count the states of an endpoint and name the ports behind it", () => {
    const kit = new ModelKit();
    const { id } = kit.endpoint(kit.network());
    const look = (): JsonObject => kit.v1("GET", `/endpoints/${id}`).Output ?? {};
    const states = [look()["State"]];
    for (const ContainerId of ["a", "b"]) {
      kit.v1("POST", `/endpoints/${id}/attach`, { SystemType: "Container", ContainerId });
      states.push(look()["State"]);
    }
    expect(states).toEqual([1, 2, 3]);
    expect(look()).toMatchObject({ Resources: { Allocators: [{ Tag: "Endpoint Port" }] }, SharedContainers: ["a", "b"] });
    expect(kit.v1("GET", "/networks").Output).toMatchObject([
      { Layer: { Resources: { Allocators: [{ Tag: "Host Vnic" }, { Tag: "External Adapter Info" }] } }, Extensions: [{}, {}] },
    ]);
  });

  test("filter by every key, keys and ids in any case", () => {
    const kit = new ModelKit();
    const { id } = kit.endpoint(kit.network(), {
      Name: "pod",
      MacAddress: "0e-2a-0a-f4-00-03",
      IpConfigurations: [{ IpAddress: "10.244.3.9" }],
    });
    kit.endpoint(kit.network({ ...L2_NETWORK, Name: "other", Type: "NAT" }), { Name: "pod2" });
    const namespace = kit.namespace();
    kit.join(namespace.handle, id);
    const [network = ""] = kit.enumerate("Networks", { Type: "l2bridge" });
    const filters = [
      { id: id.toLowerCase() },
      { NAME: "pod" },
      { MacAddress: "0e-2a-0a-f4-00-03" },
      { IPAddress: "10.244.3.9" },
      { HostComputeNetwork: network.toLowerCase() },
      { virtualnetworkname: "l2" },
      { HostComputeNamespace: namespace.id.toLowerCase() },
    ];
    for (const filter of filters) expect([filter, kit.enumerate("Endpoints", filter)]).toEqual([filter, [id]]);
    expect(kit.enumerate("Endpoints", { Colour: "red" })).toEqual([]);
  });
});
