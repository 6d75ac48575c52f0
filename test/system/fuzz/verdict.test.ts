/** The judges of the fuzz suites find what they are there for. */
import { makeCall } from "./calls.ts";
import { MemoryNode } from "./memory-node.ts";
import { Random } from "./random.ts";
import { type Answer, findProblems } from "./verdict.ts";

const call = (command: string) => ({ env: { CNI_COMMAND: command }, stdin: new Uint8Array() });
const ERROR = { cniVersion: "1.1.0", code: 7, msg: "no" };

describe("the judge of answers", () => {
  it.each<[string, string, Partial<Answer>, RegExp]>([
    ["two documents", "ADD", { stdout: [JSON.stringify(ERROR) + JSON.stringify(ERROR)], exitCode: 1 }, /no JSON object/],
    ["two writes", "ADD", { stdout: [JSON.stringify(ERROR), ""], exitCode: 1 }, /written 2 times/],
    ["a failure without a word", "DEL", { exitCode: 1 }, /without a word/],
    ["a fault of the program", "ADD", { stdout: [JSON.stringify({ ...ERROR, code: 999 })], exitCode: 1 }, /a fault of the program/],
    ["a message of two lines", "ADD", { stdout: [JSON.stringify({ ...ERROR, msg: "a\nb" })], exitCode: 1 }, /no line of text/],
    ["an unknown field", "ADD", { stdout: [JSON.stringify({ ...ERROR, stack: "x" })], exitCode: 1 }, /a field stack/],
    ["a version that is none", "ADD", { stdout: [JSON.stringify({ ...ERROR, cniVersion: "7" })], exitCode: 1 }, /the version 7/],
    ["a success that talks", "DEL", { stdout: ["{}"] }, /not silently/],
    ["an ADD without result", "ADD", {}, /no result/],
    ["a result without address", "ADD", { stdout: ['{"cniVersion":"1.1.0"}'] }, /0 addresses/],
    ["an end by a signal", "ADD", { exitCode: null }, /exit code is null/],
    ["noise on stderr", "STATUS", { stderr: "Warning" }, /stderr holds Warning/],
  ])("sees %s", (_name, command, answer, expected) => {
    const problems = findProblems(call(command), { stdout: [], exitCode: 0, stderr: "", ...answer });
    expect(problems).toContainEqual(expect.stringMatching(expected));
  });
});

describe("the judge of the state", () => {
  it.each([
    ["a damaged row", "UPDATE attachments SET netns = 'x'", /is damaged/],
    ["an address that counts as free", "UPDATE addresses SET state = 'free'", /counts as free/],
    ["an address with another owner", "UPDATE addresses SET owner = 'x'", /owned by another/],
    ["an endpoint that nobody knows", "DELETE FROM attachments", /nobody knows/],
    [
      "an address with two owners",
      "INSERT INTO addresses (pool, address, block, state, owner, sum) SELECT 'pods/x', address, block, state, 'y', 0 FROM addresses",
      /has 2 owners/,
    ],
    ["a lease that is left", "INSERT INTO leases VALUES ('a', 1, 's', 'b', 0, 0)", /a lease is left/],
  ])("sees %s", async (_name, sql, expected) => {
    const node = new MemoryNode();
    const [namespace = ""] = node.addNamespaces(1);
    const config = {
      cniVersion: "1.1.0",
      name: "pods",
      type: "hns-cni",
      mode: "l2bridge",
      ipam: { type: "hns-cni", cidr: "10.244.3.0/24" },
    };
    const env = { CNI_COMMAND: "ADD", CNI_CONTAINERID: "c0", CNI_NETNS: namespace, CNI_IFNAME: "eth0", CNI_PATH: "/opt/cni/bin" };
    expect(await node.run({ env, stdin: Buffer.from(JSON.stringify(config)) })).toMatchObject({ exitCode: 0 });
    expect(node.findProblems()).toEqual([]);
    node.database.run(sql);
    expect(node.findProblems()).toContainEqual(expect.stringMatching(expected));
    node.close();
  });
});

it("the same seed makes the same calls", () => {
  const make = () => makeCall(new Random(7), { namespaces: ["a", "b"], results: new Map() });
  expect(make()).toEqual(make());
});
