import fc from "fast-check";
import { addressAt, type Cidr, cidrSize, containsCidr, findCidr, formatCidr, formatIp, overlaps } from "../../../../src/core/base/ip.ts";
import { carveBlock, nextUsable, type Subnet, usableIn } from "../../../../src/core/ipam/blocks.ts";

function cidr(text: string): Cidr {
  const found = findCidr(text);
  if (found === undefined) throw new Error(text);
  return found;
}

/** The offsets Windows keeps on a pod range: network, HNS gateway, host endpoint, broadcast. */
function podSubnet(text: string): Subnet {
  const range = cidr(text);
  return { cidr: range, reserved: [0, 1, 2, cidrSize(range) - 1] };
}

function carveAll(subnet: Subnet, prefix: number): Cidr[] {
  const blocks: Cidr[] = [];
  let next = carveBlock(subnet, prefix, 0);
  while (next !== undefined) {
    blocks.push(next.block);
    next = carveBlock(subnet, prefix, next.carved);
  }
  return blocks;
}

describe("carving", () => {
  test.each([
    ["10.244.3.0/24", 26, ["10.244.3.0/26", "10.244.3.64/26", "10.244.3.128/26", "10.244.3.192/26"], [61, 64, 64, 63]],
    ["10.244.3.0/24", 24, ["10.244.3.0/24"], [252]],
    ["10.244.3.16/28", 28, ["10.244.3.16/28"], [12]],
    ["10.244.3.16/28", 29, ["10.244.3.16/29", "10.244.3.24/29"], [5, 7]],
    ["10.244.3.8/29", 29, ["10.244.3.8/29"], [4]],
    ["10.244.3.8/29", 26, ["10.244.3.8/29"], [4]],
    ["10.244.3.0/29", 31, ["10.244.3.0/31", "10.244.3.2/31", "10.244.3.4/31", "10.244.3.6/31"], [0, 1, 2, 1]],
    ["10.244.3.0/29", 32, [0, 1, 2, 3, 4, 5, 6, 7].map((last) => `10.244.3.${last}/32`), [0, 0, 0, 1, 1, 1, 1, 0]],
  ])("%s in blocks of /%i", (range, prefix, blocks, usable) => {
    const subnet = podSubnet(range);
    const carved = carveAll(subnet, prefix);
    expect(carved.map(formatCidr)).toEqual(blocks);
    expect(carved.map((block) => usableIn(subnet, block))).toEqual(usable);
  });

  test("an IPv6 /64 in blocks of /122", () => {
    const subnet: Subnet = { cidr: cidr("fd00:10:244:3::/64"), reserved: [0, 1, 2] };
    const first = carveBlock(subnet, 122, 0);
    const second = carveBlock(subnet, 122, first?.carved ?? 0);
    expect([first, second].map((found) => found && formatCidr(found.block))).toEqual(["fd00:10:244:3::/122", "fd00:10:244:3::40/122"]);
    expect([first, second].map((found) => found && usableIn(subnet, found.block))).toEqual([61, 64]);
    expect(first && formatIp(addressAt(first.block, nextUsable(subnet, first.block, 0)))).toBe("fd00:10:244:3::3");
  });

  test("goes on aligned after the block size was changed", () => {
    const subnet = podSubnet("10.244.3.0/24");
    const small = carveBlock(subnet, 28, 0);
    const large = carveBlock(subnet, 26, small?.carved ?? 0);
    expect(large && [formatCidr(large.block), large.carved]).toEqual(["10.244.3.64/26", 128]);
    const again = carveBlock(subnet, 28, large?.carved ?? 0);
    expect(again && formatCidr(again.block)).toBe("10.244.3.128/28");
  });

  test("blocks never overlap, fill the range, and their usable addresses are all but the reserved", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 29 }),
        fc.integer({ min: 0, max: 6 }),
        fc.array(fc.nat(4095), { maxLength: 8 }),
        (prefix, deeper, offsets) => {
          const range = cidr(`10.244.0.0/${prefix}`);
          const reserved = [...new Set(offsets.map((offset) => offset % cidrSize(range)))];
          const subnet = { cidr: range, reserved };
          const blocks = carveAll(subnet, prefix + deeper);
          expect(blocks).toHaveLength(2 ** deeper);
          for (const [index, block] of blocks.entries()) {
            expect(containsCidr(range, block)).toBe(true);
            const next = blocks[index + 1];
            if (next !== undefined) expect(overlaps(block, next)).toBe(false);
          }
          const usable = blocks.reduce((sum, block) => sum + usableIn(subnet, block), 0);
          expect(usable).toBe(cidrSize(range) - reserved.length);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("the next usable offset", () => {
  const subnet: Subnet = { cidr: cidr("10.244.3.0/28"), reserved: [0, 1, 2, 5, 15] };
  const block = cidr("10.244.3.0/28");

  test.each([
    [0, 3],
    [3, 3],
    [5, 6],
    [14, 14],
    [15, 16],
    [16, 16],
  ])("from %i is %i", (from, expected) => {
    expect(nextUsable(subnet, block, from)).toBe(expected);
  });
});
