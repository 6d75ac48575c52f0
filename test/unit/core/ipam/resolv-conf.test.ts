import { parseResolvConf } from "../../../../src/core/ipam/resolv-conf.ts";

test("reads what a resolver reads, and no comments", () => {
  const text =
    "# one\n; two\nnameserver 10.0.0.1\n nameserver\t10.0.0.2 \ndomain a.b\nsearch c d\nsearch e\noptions ndots:2 edns0\nnameserver\nsortlist x\n";
  expect(parseResolvConf(text)).toEqual({
    nameservers: ["10.0.0.1", "10.0.0.2"],
    domain: "a.b",
    search: ["c", "d", "e"],
    options: ["ndots:2", "edns0"],
  });
  expect(parseResolvConf("")).toEqual({ nameservers: [], search: [], options: [] });
});
