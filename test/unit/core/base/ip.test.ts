import { isIP } from "node:net";
import fc from "fast-check";
import {
  addressAt,
  cidrSize,
  compareIp,
  containsCidr,
  containsIp,
  findAddressWithPrefix,
  findCidr,
  findIp,
  formatCidr,
  formatIp,
  networkOf,
  offsetIn,
  overlaps,
  width,
} from "../../../../src/core/base/ip.ts";
import type { Cidr, IpAddress } from "../../../../src/core/base/ip.ts";

function ip(text: string): IpAddress {
  const found = findIp(text);
  if (found === undefined) throw new Error(`no address: ${text}`);
  return found;
}

function cidr(text: string): Cidr {
  const found = findCidr(text);
  if (found === undefined) throw new Error(`no CIDR: ${text}`);
  return found;
}

const v4 = fc.nat({ max: 0xffffffff }).map((value): IpAddress => ({ family: 4, value }));
const v6 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((value): IpAddress => ({ family: 6, value }));
// Groups that are often zero, so that runs of zeros get shortened in every place.
const sparseV6 = fc
  .array(fc.oneof({ weight: 3, arbitrary: fc.constant(0n) }, fc.bigInt({ min: 0n, max: 0xffffn })), { minLength: 8, maxLength: 8 })
  .map((groups): IpAddress => ({ family: 6, value: groups.reduce((sum, group) => (sum << 16n) | group, 0n) }));
const anyIp = fc.oneof(v4, v6, sparseV6);
const anyIpAndPrefix = anyIp.chain((address) => fc.tuple(fc.constant(address), fc.nat({ max: width(address.family) })));

describe("findIp", () => {
  test.each([
    ["0.0.0.0", "0.0.0.0"],
    ["10.0.0.4", "10.0.0.4"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::"],
    ["::1", "::1"],
    ["fd00::4", "fd00::4"],
    ["FD00:0:0:0:0:0:0:4", "fd00::4"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["1:0:0:2:0:0:3:4", "1::2:0:0:3:4"],
    ["::ffff:10.0.0.4", "::ffff:a00:4"],
    ["1:2:3:4:5:6:10.0.0.4", "1:2:3:4:5:6:a00:4"],
  ])("reads %s, which is written %s", (text, written) => {
    expect(formatIp(ip(text))).toBe(written);
  });

  test.each([
    [""],
    ["10.0.0"],
    ["10.0.0.256"],
    ["10.0.0.04"],
    ["10.0.0.4 "],
    ["10.0.0.4/24"],
    [":"],
    [":::"],
    ["1:2"],
    ["1::2::3"],
    ["1:2:3:4:5:6:7:8:9"],
    ["1:2:3:4:5:6:7:8::"],
    ["12345::"],
    ["g::"],
    ["10.0.0.4::"],
    ["::10.0.0.4:1"],
    ["fe80::1%4"],
    [":1:2:3:4:5:6:7"],
    ["1:2:3:4:5:6:7:"],
  ])("refuses %j", (text) => {
    expect(findIp(text)).toBeUndefined();
  });

  test("agrees with node:net on what an address is", () => {
    const piece = fc.constantFrom("0", "1", "00", "10", "255", "256", "ffff", "fffff", ".", ":", "::", "1.2.3.4");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("");
        expect([text, findIp(text)?.family ?? 0]).toEqual([text, isIP(text)]);
      }),
      { numRuns: 2000 },
    );
  });

  test("reads back what formatIp writes, which is an address to node:net too", () => {
    fc.assert(
      fc.property(anyIp, (address) => {
        expect(findIp(formatIp(address))).toEqual(address);
        expect(isIP(formatIp(address))).toBe(address.family);
      }),
    );
  });

  test("writes IPv6 as the URL standard does", () => {
    fc.assert(
      fc.property(fc.oneof(v6, sparseV6), (address) => {
        expect(`[${formatIp(address)}]`).toBe(new URL(`http://[${formatIp(address)}]/`).hostname);
      }),
    );
  });
});

describe("findCidr", () => {
  test.each([["10.244.0.0/16"], ["0.0.0.0/0"], ["10.0.0.4/32"], ["fd00::/64"], ["::/0"], ["fd00::4/128"]])("reads %s", (text) => {
    expect(formatCidr(cidr(text))).toBe(text);
  });

  test.each([
    ["10.244.0.1/16"],
    ["10.0.0.0/33"],
    ["fd00::1/64"],
    ["::/129"],
    ["10.0.0.0"],
    ["10.0.0.0/"],
    ["10.0.0.0/08"],
    ["/8"],
    ["10.0.0.0/8/8"],
    ["10.0.0.0/-1"],
  ])("refuses %s", (text) => {
    expect(findCidr(text)).toBeUndefined();
  });

  test("reads back what formatCidr writes", () => {
    fc.assert(
      fc.property(anyIpAndPrefix, ([address, prefix]) => {
        const network = networkOf(address, prefix);
        expect(findCidr(formatCidr(network))).toEqual(network);
      }),
    );
  });

  test("an address with prefix keeps its host bits", () => {
    expect(findAddressWithPrefix("10.0.0.4/24")).toEqual({ address: ip("10.0.0.4"), prefix: 24 });
    expect(findAddressWithPrefix("10.0.0.4/33")).toBeUndefined();
  });
});

describe("containment", () => {
  test("a network holds the addresses that it was made of, and its first and last", () => {
    fc.assert(
      fc.property(anyIpAndPrefix, ([address, prefix]) => {
        const network = networkOf(address, prefix);
        expect(containsIp(network, address)).toBe(true);
        expect(containsIp(network, network.address)).toBe(true);
        expect(compareIp(network.address, address)).toBeLessThanOrEqual(0);
      }),
    );
  });

  test("a network holds neither the address before it nor the one after it", () => {
    fc.assert(
      fc.property(v4, fc.integer({ min: 1, max: 32 }), (address, prefix) => {
        const network = networkOf(address, prefix);
        const first = Number(network.address.value);
        const outside = [first - 1, first + cidrSize(network)].filter((value) => value >= 0 && value <= 0xffffffff);
        for (const value of outside) expect(containsIp(network, { family: 4, value })).toBe(false);
      }),
    );
    expect(containsIp(cidr("fd00::/64"), ip("fd00:0:0:1::"))).toBe(false);
    expect(containsIp(cidr("fd00::/64"), ip("fcff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"))).toBe(false);
  });

  test("no network holds an address of the other family", () => {
    expect(containsIp(cidr("::/0"), ip("10.0.0.4"))).toBe(false);
    expect(containsIp(cidr("0.0.0.0/0"), ip("::1"))).toBe(false);
  });

  test("two networks overlap exactly when one holds the other", () => {
    fc.assert(
      fc.property(anyIp, fc.nat({ max: 32 }), fc.nat({ max: 32 }), (address, one, other) => {
        const [outer, inner] = [networkOf(address, Math.min(one, other)), networkOf(address, Math.max(one, other))];
        expect(containsCidr(outer, inner)).toBe(true);
        expect(overlaps(inner, outer)).toBe(true);
        expect(containsCidr(inner, outer)).toBe(one === other);
      }),
    );
    expect(overlaps(cidr("10.0.0.0/25"), cidr("10.0.0.128/25"))).toBe(false);
  });
});

describe("offsets", () => {
  test("the address at an offset has that offset", () => {
    fc.assert(
      fc.property(v4, fc.integer({ min: 8, max: 32 }), fc.nat(), (address, prefix, seed) => {
        const network = networkOf(address, prefix);
        const offset = seed % cidrSize(network);
        expect(offsetIn(network, addressAt(network, offset))).toBe(offset);
      }),
    );
    fc.assert(
      fc.property(v6, fc.integer({ min: 75, max: 128 }), fc.maxSafeInteger(), (address, prefix, seed) => {
        const network = networkOf(address, prefix);
        const offset = Math.abs(seed) % cidrSize(network);
        expect(offsetIn(network, addressAt(network, offset))).toBe(offset);
      }),
    );
  });

  test("an address outside has none", () => {
    expect(offsetIn(cidr("10.0.0.0/24"), ip("10.0.1.0"))).toBeUndefined();
  });

  test.each([
    ["10.0.0.0/26", 64],
    ["0.0.0.0/0", 2 ** 32],
    ["fd00::/122", 64],
    ["10.0.0.4/32", 1],
    ["::/0", 2 ** 128],
  ])("%s spans %d addresses", (text, size) => {
    expect(cidrSize(cidr(text))).toBe(size);
  });
});

describe("compareIp", () => {
  test("sorts by value, IPv4 first", () => {
    const sorted = ["0.0.0.0", "10.0.0.4", "192.168.0.1", "255.255.255.255", "::", "::1", "fd00::"];
    expect(sorted.toReversed().map(ip).sort(compareIp).map(formatIp)).toEqual(sorted);
    expect(compareIp(ip("fd00::4"), ip("FD00:0::4"))).toBe(0);
  });
});
