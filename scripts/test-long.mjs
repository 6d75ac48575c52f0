/** `npm run test:long`: the suites that look at a sample of their points by default, with every point (hours). */
process.env["HNS_CNI_LONG"] = "1";
process.argv.push("test/system/crash", "test/system/address-crowd.test.ts", "test/system/slow-disk.test.ts", "test/system/soak");
await import("./test.mjs");
