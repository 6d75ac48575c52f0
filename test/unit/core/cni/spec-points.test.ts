import { PluginError } from "../../../../src/core/base/errors.ts";
import { splitPathList } from "../../../../src/core/cni/environment.ts";
import { convertResult, formatResult } from "../../../../src/core/cni/result-conversion.ts";
import { SUPPORTED_VERSIONS } from "../../../../src/core/cni/version.ts";
import { BARE_RESULT, buildEnv, buildStdin, call, FULL_RESULT, NETNS } from "./call.ts";
import { containing, matching } from "./matchers.ts";

const SILENT = ["DEL", "CHECK", "GC", "STATUS"];

describe("1.1 process protocol", () => {
  test("points 1 and 2: ADD answers with one JSON object on stdout and exit code 0", async () => {
    const { exitCode, writes, answer } = await call(buildEnv("ADD"));
    expect({ exitCode, count: writes.length }).toEqual({ exitCode: 0, count: 1 });
    expect(answer).toMatchObject({ cniVersion: "1.1.0" });
  });

  test.each(["ADD", ...SILENT])("points 2 to 5: a failed %s writes one error object to stdout and exits with 1", async (command) => {
    const fail = (): Promise<never> => Promise.reject(new PluginError("STATE_FAILURE", { message: "disk is full", remedy: "free some" }));
    const { exitCode, writes, answer } = await call(buildEnv(command), buildStdin(), {
      add: fail,
      del: fail,
      check: fail,
      gc: fail,
      status: fail,
    });
    expect({ exitCode, count: writes.length }).toEqual({ exitCode: 1, count: 1 });
    expect(answer).toEqual({ cniVersion: "1.1.0", code: command === "STATUS" ? 50 : 5, msg: "disk is full; free some" });
  });

  test.each(SILENT)("points 6 and 8: a successful %s writes nothing", async (command) => {
    const { exitCode, writes, handled } = await call(buildEnv(command));
    expect({ exitCode, writes, names: handled.map(({ name }) => name) }).toEqual({
      exitCode: 0,
      writes: [],
      names: [command.toLowerCase()],
    });
  });

  test.each(SUPPORTED_VERSIONS)("points 7, 9 and 46: the result of ADD states the configuration's version %s", async (cniVersion) => {
    const { answer } = await call(buildEnv("ADD"), buildStdin({ cniVersion, prevResult: undefined }));
    expect(answer?.["cniVersion"]).toBe(cniVersion);
  });

  test("point 13: the tracing context reaches the handlers", async () => {
    const { handled } = await call(buildEnv("DEL", { TRACEPARENT: "00-1-2-01", baggage: "a=b" }));
    expect(handled[0]?.request["trace"]).toEqual({ traceparent: "00-1-2-01", baggage: "a=b" });
  });

  test("point 14: variables are found in any case", async () => {
    const { exitCode } = await call({ cni_command: "DEL", Cni_ContainerId: "abc", cni_ifname: "eth0", CNI_Path: "p" });
    expect(exitCode).toBe(0);
  });
});

describe("1.2 environment variables", () => {
  test.each(["FOO", "add", " ADD", "ADD "])("point 15: CNI_COMMAND %p is unknown", async (command) => {
    expect((await call(buildEnv(command))).answer).toMatchObject({ code: 4, msg: containing(`unknown CNI_COMMAND: ${command.trim()}`) });
  });

  test.each(["", undefined])("point 16: CNI_COMMAND %p is missing", async (command) => {
    const { answer } = await call(buildEnv("ADD", { CNI_COMMAND: command }));
    expect(answer).toMatchObject({ code: 4, msg: containing("CNI_COMMAND") });
  });

  const matrix: [string, string[]][] = [
    ["ADD", ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"]],
    ["CHECK", ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"]],
    ["DEL", ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"]],
    ["GC", ["CNI_PATH"]],
    ["STATUS", ["CNI_PATH"]],
  ];
  test.each(matrix)("points 17 and 18: %s names all required variables that are missing in one error", async (command, names) => {
    const { answer, reads } = await call({ CNI_COMMAND: command });
    expect(answer).toMatchObject({ code: 4, msg: containing(`required env variables [${names.join(",")}] missing`) });
    expect(reads).toBe(0);
  });

  test.each(matrix)("point 17: %s needs no other variable, and an empty one is missing", async (command, names) => {
    const only = Object.fromEntries(Object.entries(buildEnv(command)).filter(([name]) => name === "CNI_COMMAND" || names.includes(name)));
    expect((await call(only)).exitCode).toBe(0);
    const last = names.at(-1) ?? "";
    expect((await call({ ...only, [last]: "" })).answer).toMatchObject({ code: 4, msg: containing(`[${last}]`) });
  });

  test("point 17: VERSION needs nothing", async () => {
    expect(await call({ CNI_COMMAND: "VERSION" }, new Error("closed"))).toMatchObject({ exitCode: 0, handled: [] });
  });

  test.each(["-a", "a b", "a/b", "ä", "a\n"])("point 19: container id %p", async (id) => {
    const { answer } = await call(buildEnv("DEL", { CNI_CONTAINERID: id }));
    expect(answer).toMatchObject({ code: 4, msg: containing("invalid characters in containerID"), details: id.trim() });
  });

  test.each([
    [undefined, "missing network name"],
    ["", "missing network name"],
    [null, "missing network name"],
    ["a b", "invalid characters found in network name"],
    [".a", "invalid characters found in network name"],
    [5, "invalid characters found in network name"],
  ])("point 20: network name %p", async (name, msg) => {
    expect((await call(buildEnv("ADD"), buildStdin({ name }))).answer).toMatchObject({ code: 7, msg: containing(msg) });
  });

  test.each(["sixteen-letters-", ".", "..", "a/b", "a:b", "a b", "ähmähmähmähm"])("point 21: interface name %p", async (ifname) => {
    expect((await call(buildEnv("ADD", { CNI_IFNAME: ifname }))).answer).toMatchObject({ code: 4, msg: containing("CNI_IFNAME") });
  });

  test("point 21: 15 characters are allowed, and a command that needs no interface does not look at it", async () => {
    expect((await call(buildEnv("ADD", { CNI_IFNAME: "exactly-15-char" }))).exitCode).toBe(0);
    expect((await call(buildEnv("GC", { CNI_IFNAME: "a/b", CNI_CONTAINERID: "-" }))).exitCode).toBe(0);
  });

  test("point 22: malformed CNI_ARGS fail ADD and CHECK with code 4, while DEL goes on without them", async () => {
    const args = { CNI_ARGS: "K8S_POD_NAME=web;" };
    expect((await call(buildEnv("ADD", args))).answer).toMatchObject({ code: 4, msg: containing('invalid pair ""') });
    expect((await call(buildEnv("CHECK", args))).answer).toMatchObject({ code: 4 });
    expect(await call(buildEnv("DEL", args))).toMatchObject({ exitCode: 0, handled: [{ request: { args: {} } }] });
  });

  test("point 23: CNI_PATH is split at semicolons, quotes hide them and are removed", () => {
    expect(splitPathList('C:\\a;"C:\\b;c"\\d;;E:\\')).toEqual(["C:\\a", "C:\\b;c\\d", "E:\\"]);
    expect(splitPathList("/a:/b;c", ":")).toEqual(["/a", "/b;c"]);
    expect(splitPathList("")).toEqual([]);
  });

  test("point 25: CNI_NETNS_OVERRIDE changes nothing", async () => {
    const plain = await call(buildEnv("ADD"));
    expect((await call(buildEnv("ADD", { CNI_NETNS_OVERRIDE: "1" }))).answer).toEqual(plain.answer);
  });

  test.each([NETNS, "none", "container:abc"])("point 24: the sandbox %p is passed on as it is", async (netns) => {
    expect((await call(buildEnv("ADD", { CNI_NETNS: netns }))).handled[0]?.request["netns"]).toBe(netns);
  });

  test.each(["", undefined])("points 24 and 49: DEL takes the sandbox %p", async (netns) => {
    expect(await call(buildEnv("DEL", { CNI_NETNS: netns }))).toMatchObject({ exitCode: 0, handled: [{ request: { netns: "" } }] });
  });
});

describe("1.3 configuration", () => {
  test("point 26: the whole object reaches the handler, parsed and as text", async () => {
    const stdin = buildStdin({ capabilities: { dns: true }, runtimeConfig: { dns: { Servers: ["1.1.1.1"] } } });
    const { handled } = await call(buildEnv("ADD"), stdin);
    expect(handled[0]?.request).toMatchObject({ networkName: "pods", stdin, rawConfig: JSON.parse(stdin) as unknown });
  });

  test.each(["", "{", "null", "[]", '"text"', "{} {}"])("point 27: stdin %p is code 6", async (stdin) => {
    expect((await call(buildEnv("ADD"), stdin)).answer).toMatchObject({ code: 6 });
  });

  test("point 27: a byte order mark is passed over, and the parser's quotation of the text is not passed on", async () => {
    expect((await call(buildEnv("DEL"), `\uFEFF${buildStdin()}`)).exitCode).toBe(0);
    expect((await call(buildEnv("DEL"), '{"password": hunter2}')).writes.join("")).not.toContain("hunter2");
  });

  test.each([undefined, null, ""])("point 27: cniVersion %p means 0.1.0", async (cniVersion) => {
    const { answer } = await call(buildEnv("ADD"), buildStdin({ cniVersion, prevResult: undefined }));
    expect(answer).toMatchObject({ cniVersion: "0.1.0", ip4: { ip: "10.244.3.7/24" } });
  });

  test.each(["9.9.9", "1.2.0", "1", "0.4", "1.0.0-rc1"])("point 28: ADD in %s is incompatible", async (cniVersion) => {
    const { answer } = await call(buildEnv("ADD"), buildStdin({ cniVersion }));
    const details = `config is "${cniVersion}", plugin supports ${JSON.stringify(SUPPORTED_VERSIONS)}`;
    expect(answer).toMatchObject({ cniVersion: "1.1.0", code: 1, msg: containing("incompatible CNI versions"), details });
  });

  test.each([
    ["CHECK", "0.3.1", 1, "config version does not allow CHECK"],
    ["CHECK", "", 1, "config version does not allow CHECK"],
    ["CHECK", "0.3", 1, "config version does not allow CHECK"],
    ["CHECK", "1", 1, "incompatible CNI versions"],
    ["GC", "1.0.0", 1, "config version does not allow GC"],
    ["STATUS", "1.0.0", 1, "config version does not allow STATUS"],
    ["STATUS", "1.0.0-rc1", 6, "is no version"],
    ["CHECK", "1.0.0.0", 6, "is no version"],
    ["GC", "x", 6, "is no version"],
  ])("point 29: %s in %p is code %i", async (command, cniVersion, code, msg) => {
    expect((await call(buildEnv(command), buildStdin({ cniVersion }))).answer).toMatchObject({ code, msg: containing(msg) });
  });

  test("point 29: a version that is no text is code 6", async () => {
    expect((await call(buildEnv("ADD"), buildStdin({ cniVersion: 1.1 }))).answer).toMatchObject({ code: 6 });
  });

  test("point 30: the protocol's own keys are found in any case", async () => {
    const stdin = JSON.stringify({ CNIVersion: "1.0.0", Name: "pods", PrevResult: { IPs: [{ Address: "10.0.0.4/24" }] } });
    expect((await call(buildEnv("CHECK"), stdin)).handled[0]?.request).toMatchObject({
      cniVersion: "1.0.0",
      networkName: "pods",
      prevResult: { ips: [{ address: "10.0.0.4/24" }] },
    });
  });

  test("point 31: unknown and reserved keys are no fault", async () => {
    expect((await call(buildEnv("ADD"), buildStdin({ colour: "red", "cni.dev/new": 1 }))).exitCode).toBe(0);
  });

  test("point 32: without prevResult the request has none", async () => {
    expect((await call(buildEnv("ADD"), buildStdin({ prevResult: undefined }))).handled[0]?.request).not.toHaveProperty("prevResult");
  });

  const ip4 = { ip: "10.244.3.7/24" };
  test.each([
    ["1.1.0", { cniVersion: "1.0.0", ips: [{ address: ip4.ip }] }],
    ["1.1.0", { ips: [{ address: ip4.ip }] }],
    ["0.4.0", { cniVersion: "0.4.0", ips: [{ version: "4", address: ip4.ip }] }],
    ["0.2.0", { ip4 }],
  ])("point 33: prevResult in a configuration of %s: %j", async (cniVersion, prevResult) => {
    const { handled } = await call(buildEnv("ADD"), buildStdin({ cniVersion, prevResult }));
    expect(handled[0]?.request["prevResult"]).toMatchObject({ ips: [{ address: ip4.ip }] });
  });

  test.each([
    ["another form", { cniVersion: "0.4.0" }],
    ["an unknown version", { cniVersion: "7.0.0" }],
    ["a list", []],
    ["addresses that are no list", { ips: {} }],
    ["an address that is none", { ips: [{ address: "10.0.0.1" }] }],
    ["an interface that is no index", { ips: [{ address: "10.0.0.1/8", interface: "0" }] }],
  ])("points 33 and 34: prevResult with %s fails ADD with code 6 and counts as absent on DEL", async (_, prevResult) => {
    expect((await call(buildEnv("ADD"), buildStdin({ prevResult }))).answer).toMatchObject({ code: 6 });
    const { exitCode, handled } = await call(buildEnv("DEL"), buildStdin({ prevResult }));
    expect(exitCode).toBe(0);
    expect(handled[0]?.request).not.toHaveProperty("prevResult");
  });

  test.each([
    ["an interface that it has not", { ips: [{ address: "192.0.2.7/24", interface: 1 }] }, "ips[0].interface is 1 of 1 interfaces"],
    ["a negative one", { ips: [{ address: "192.0.2.7/24", interface: -1 }] }, "ips[0].interface is -1 of 1 interfaces"],
    ["a gateway that is no address", { ips: [{ address: "192.0.2.7/24", gateway: "x" }] }, 'ips[0].gateway "x" is no address'],
    ["a route to no network", { routes: [{ dst: "192.0.2.0/33" }] }, "routes[0].dst"],
  ])("points 33 and 34: a prevResult with %s is code 6 before anything is done, and absent on DEL", async (_, part, problem) => {
    const prevResult = { cniVersion: "1.1.0", interfaces: [{ name: "host0" }], ...part };
    const { answer, handled } = await call(buildEnv("ADD"), buildStdin({ prevResult }));
    expect(answer).toMatchObject({ code: 6, msg: containing(problem) });
    expect(handled).toEqual([]);
    expect((await call(buildEnv("DEL"), buildStdin({ prevResult }))).handled[0]?.request).not.toHaveProperty("prevResult");
  });

  test.each([undefined, null, {}])("point 34: DEL takes prevResult %p", async (prevResult) => {
    expect((await call(buildEnv("DEL"), buildStdin({ prevResult }))).exitCode).toBe(0);
  });

  test.each([undefined, null])("point 37: GC with the list %p releases nothing", async (list) => {
    const { answer, handled } = await call(buildEnv("GC"), buildStdin({ "cni.dev/valid-attachments": list }));
    expect(answer).toMatchObject({ code: 7, msg: containing("cni.dev/valid-attachments is missing, nothing was released") });
    expect(handled).toEqual([]);
  });

  test("point 37: a list that is null releases nothing although the misspelt key beside it has one", async () => {
    const stdin = buildStdin({ "cni.dev/valid-attachments": null, "cni.dev/attachments": [] });
    expect(await call(buildEnv("GC"), stdin)).toMatchObject({ answer: { code: 7 }, handled: [] });
  });

  test.each([
    [{}],
    ["x"],
    [[{ containerID: "a b", ifname: "eth0" }]],
    [[{ containerID: "a" }]],
    [[{ containerID: "", ifname: "eth0" }]],
    [[null]],
  ])("point 37: the list %j is malformed", async (list) => {
    expect(await call(buildEnv("GC"), buildStdin({ "cni.dev/valid-attachments": list }))).toMatchObject({
      answer: { code: 7 },
      handled: [],
    });
  });

  test.each([
    ["an empty list releases all", { "cni.dev/valid-attachments": [] }, []],
    ["entries", { "cni.dev/valid-attachments": [{ containerID: "a", ifname: "eth0" }] }, [{ containerId: "a", ifname: "eth0" }]],
    [
      "the older key",
      { "cni.dev/valid-attachments": undefined, "cni.dev/attachments": [{ containerID: "a", ifname: "e" }] },
      [{ containerId: "a", ifname: "e" }],
    ],
  ])("point 37: GC with %s", async (_, changes, validAttachments) => {
    expect((await call(buildEnv("GC"), buildStdin(changes))).handled).toMatchObject([{ name: "gc", request: { validAttachments } }]);
  });
});

describe("1.4 to 1.6 commands", () => {
  test("point 43: ADD writes every key of the current result", async () => {
    expect((await call(buildEnv("ADD"))).answer).toEqual({
      cniVersion: "1.1.0",
      interfaces: [{ name: "eth0", mac: "00:15:5d:00:00:01", mtu: 1450, sandbox: NETNS, socketPath: "C:\\s", pciID: "0000:00:01.0" }],
      ips: [
        { interface: 0, address: "10.244.3.7/24", gateway: "10.244.3.2" },
        { interface: 0, address: "fd00::7/64", gateway: "fd00::1" },
        { address: "10.244.3.8/24" },
      ],
      routes: [
        { dst: "0.0.0.0/0", gw: "10.244.3.2", mtu: 1400, advmss: 1360, priority: 5, table: 0, scope: 0 },
        { dst: "::/0", gw: "fd00::1" },
      ],
      dns: { nameservers: ["10.96.0.10"], domain: "cluster.local", search: ["svc"], options: ["ndots:5"] },
    });
  });

  test("points 45 and 64: empty fields are left out, interface 0 is not", () => {
    expect(formatResult(BARE_RESULT, "1.1.0")).toEqual({ cniVersion: "1.1.0" });
    expect(formatResult(FULL_RESULT, "1.1.0")).toMatchObject({ ips: [{ interface: 0 }, { interface: 0 }, {}] });
  });

  test.each([1, -1, 0.5])("an index %p beyond the interfaces never reaches the runtime; the attachment is taken back", async (index) => {
    const result = { ...FULL_RESULT, ips: [{ address: "10.0.0.4/24", interface: index }] };
    const { exitCode, answer, handled } = await call(buildEnv("ADD"), buildStdin(), { add: () => Promise.resolve(result) });
    expect({ exitCode, names: handled.map(({ name }) => name) }).toEqual({ exitCode: 1, names: ["add", "del"] });
    expect(answer).toMatchObject({ code: 999 });
  });

  test("point 40: a result that cannot be converted takes the attachment back", async () => {
    const { answer, handled } = await call(buildEnv("ADD"), buildStdin({ cniVersion: "0.2.0", prevResult: undefined }), {
      add: () => Promise.resolve(BARE_RESULT),
    });
    expect(answer).toMatchObject({ cniVersion: "0.2.0", code: 1, msg: containing("no valid IP addresses") });
    expect(handled).toMatchObject([
      { name: "add", request: { resultNeedsAddress: true } },
      { name: "del", request: { command: "DEL", containerId: "abc" } },
    ]);
  });

  test("point 40: when taking back fails too, the error says both", async () => {
    const { answer } = await call(buildEnv("ADD"), buildStdin({ cniVersion: "0.2.0", prevResult: undefined }), {
      add: () => Promise.resolve(BARE_RESULT),
      del: () => Promise.reject(new Error("HNS is gone")),
    });
    expect(answer).toMatchObject({ code: 11, msg: matching(/no valid IP addresses.*HNS is gone/) });
  });

  test("point 53: CHECK consults prevResult and does without it when there is none", async () => {
    const withResult = await call(buildEnv("CHECK"));
    const without = await call(buildEnv("CHECK"), buildStdin({ prevResult: undefined }));
    expect(withResult.handled[0]?.request["prevResult"]).toMatchObject({ ips: [{ address: "10.244.3.7/24" }] });
    expect(without.exitCode).toBe(0);
    expect(without.handled[0]?.request).not.toHaveProperty("prevResult");
  });

  test.each([
    [{}, 50],
    [{ existingContainersAffected: true }, 51],
    [{ existingContainersAffected: false }, 50],
  ])("point 58: STATUS fails with %j as %i", async (data, code) => {
    const status = (): Promise<never> => Promise.reject(new PluginError("HNS_UNAVAILABLE", { message: "HNS is stopped", ...data }));
    expect((await call(buildEnv("STATUS"), buildStdin(), { status })).answer).toMatchObject({ code });
  });

  test("point 58: a fault of the request keeps its number under STATUS", async () => {
    const status = (): Promise<never> => Promise.reject(new PluginError("INVALID_CONFIG", { message: "adapter is missing" }));
    expect((await call(buildEnv("STATUS"), buildStdin(), { status })).answer).toMatchObject({ code: 7 });
    expect((await call(buildEnv("STATUS"), new Error("closed"))).answer).toMatchObject({ code: 5 });
  });

  test.each([
    ['{"cniVersion":"1.0.0"}', "1.0.0"],
    ['{"cniVersion":"9.9.9"}', "9.9.9"],
    ['{"cniVersion":"junk"}', "1.1.0"],
    ['{"cniVersion":5}', "1.1.0"],
    ["{}", "1.1.0"],
    ["", "1.1.0"],
  ])("point 59: VERSION given %p answers for %s", async (stdin, cniVersion) => {
    const { exitCode, writes, answer, handled } = await call({ CNI_COMMAND: "VERSION" }, stdin);
    expect({ exitCode, count: writes.length, handled }).toEqual({ exitCode: 0, count: 1, handled: [] });
    expect(answer).toEqual({ cniVersion, supportedVersions: ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] });
  });
});

describe("1.7 result versions", () => {
  test.each(["0.1.0", "0.2.0"] as const)("point 62: %s has the first address of each family and its routes", (version) => {
    expect(formatResult(FULL_RESULT, version)).toEqual({
      cniVersion: version,
      ip4: { ip: "10.244.3.7/24", gateway: "10.244.3.2", routes: [{ dst: "0.0.0.0/0", gw: "10.244.3.2" }] },
      ip6: { ip: "fd00::7/64", gateway: "fd00::1", routes: [{ dst: "::/0", gw: "fd00::1" }] },
      dns: FULL_RESULT.dns,
    });
  });

  test("point 62: routes of a family without address vanish, empty dns stays, no address at all is an error", () => {
    const result = { ...BARE_RESULT, ips: [{ address: "10.0.0.4/24" }], routes: [{ dst: "::/0" }] };
    expect(formatResult(result, "0.2.0")).toEqual({ cniVersion: "0.2.0", ip4: { ip: "10.0.0.4/24" }, dns: {} });
    expect(() => formatResult(BARE_RESULT, "0.1.0")).toThrow("no valid IP addresses");
  });

  test.each(["0.3.0", "0.3.1", "0.4.0"] as const)("point 63: %s has versioned addresses and plain interfaces", (version) => {
    expect(formatResult(FULL_RESULT, version)).toEqual({
      cniVersion: version,
      interfaces: [{ name: "eth0", mac: "00:15:5d:00:00:01", sandbox: NETNS }],
      ips: [
        { version: "4", interface: 0, address: "10.244.3.7/24", gateway: "10.244.3.2" },
        { version: "6", interface: 0, address: "fd00::7/64", gateway: "fd00::1" },
        { version: "4", address: "10.244.3.8/24" },
      ],
      routes: FULL_RESULT.routes,
      dns: FULL_RESULT.dns,
    });
    expect(formatResult(BARE_RESULT, version)).toEqual({ cniVersion: version, dns: {} });
  });

  const pairs = SUPPORTED_VERSIONS.flatMap((from) => SUPPORTED_VERSIONS.map((to): [string, string] => [from, to]));
  test.each(pairs)("point 65: %s converts to %s, keeping what both can say", (from, to) => {
    const plain = {
      ...BARE_RESULT,
      ips: [{ address: "10.0.0.4/24", gateway: "10.0.0.1" }],
      routes: [{ dst: "0.0.0.0/0", gw: "10.0.0.1" }],
      dns: FULL_RESULT.dns,
    };
    const [source, target] = [SUPPORTED_VERSIONS.find((v) => v === from) ?? "0.1.0", SUPPORTED_VERSIONS.find((v) => v === to) ?? "0.1.0"];
    expect(convertResult(formatResult(plain, source), from, to)).toEqual(formatResult(plain, target));
  });

  test.each([
    ["1.1.0", "1.2.0"],
    ["0.9.0", "1.0.0"],
  ])("point 65: no converter from %s to %s; an empty target is 0.1.0", (from, to) => {
    expect(() => convertResult({}, from, to)).toThrow(`no converter for CNI result version ${from} to ${to}`);
    expect(convertResult({ ips: [{ address: "10.0.0.4/24" }] }, "1.1.0", "")).toMatchObject({ cniVersion: "0.1.0" });
  });

  test("point 66: 0.2.0 becomes 1.x with ip4 before ip6 and merged routes", () => {
    const old = {
      ip6: { ip: "fd00::4/64", routes: [{ dst: "::/0" }] },
      ip4: { ip: "10.0.0.4/24", gateway: "10.0.0.1", routes: [{ dst: "10.0.0.0/8", gw: "10.0.0.1" }] },
    };
    expect(convertResult(old, "0.2.0", "1.1.0")).toEqual({
      cniVersion: "1.1.0",
      ips: [{ address: "10.0.0.4/24", gateway: "10.0.0.1" }, { address: "fd00::4/64" }],
      routes: [{ dst: "10.0.0.0/8", gw: "10.0.0.1" }, { dst: "::/0" }],
    });
  });

  test("point 67: what is written is one document of compact JSON", async () => {
    const { writes, answer } = await call(buildEnv("ADD"));
    expect(writes).toEqual([JSON.stringify(answer)]);
  });
});

describe("1.8 errors", () => {
  test("point 68: the object states the version of the configuration", async () => {
    const add = (): Promise<never> => Promise.reject(new Error("boom"));
    expect((await call(buildEnv("ADD"), buildStdin({ cniVersion: "1.0.0", prevResult: undefined }), { add })).answer).toEqual({
      cniVersion: "1.0.0",
      code: 999,
      msg: "boom; report this with the log file",
    });
  });

  test.each(["HNS: Element not found.", "The endpoint was Not Found", "not\nfound", "open C:\\x: no such file or directory"])(
    "point 71: DEL rewrites %p",
    async (message) => {
      const del = (): Promise<never> => {
        const cause = new Error(`${message} (cause)`);
        return Promise.reject(
          new PluginError("HNS_REFUSED", { message, remedy: message, details: message, hresult: 0x80070490 }, { cause }),
        );
      };
      const { writes, answer } = await call(buildEnv("DEL"), buildStdin(), { del });
      expect(writes.join("")).not.toMatch(/not\s+found|no such file or directory/i);
      expect(writes.join("")).toContain("absent");
      expect(answer).toMatchObject({ code: 101, details: containing("HRESULT 0x80070490") });
    },
  );

  test("point 71: other commands keep the words", async () => {
    const add = (): Promise<never> => Promise.reject(new PluginError("HNS_REFUSED", { message: "Element not found." }));
    expect((await call(buildEnv("ADD"), buildStdin(), { add })).answer).toMatchObject({ msg: "Element not found." });
  });

  test("stdin that cannot be read is code 5", async () => {
    expect((await call(buildEnv("ADD"), new Error("closed"))).answer).toMatchObject({
      code: 5,
      msg: containing("cannot read stdin: closed"),
    });
  });
});
