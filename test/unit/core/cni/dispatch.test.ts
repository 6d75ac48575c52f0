import fc from "fast-check";
import { dispatch } from "../../../../src/core/cni/dispatch.ts";
import type { CniResult } from "../../../../src/core/cni/result.ts";
import { compareVersions, parseVersion } from "../../../../src/core/cni/version.ts";
import { BARE_RESULT, buildEnv, buildStdin, call, FULL_RESULT } from "./call.ts";
import { matching } from "./matchers.ts";

const COMMANDS = ["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"];

describe("dispatch keeps the contract of stdout", () => {
  const value = fc.oneof(fc.string(), fc.constantFrom("eth0", "abc", "1.1.0", ...COMMANDS));
  const env = fc.oneof(
    fc.dictionary(
      fc.constantFrom("CNI_COMMAND", "cni_command", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH", "__proto__"),
      value,
    ),
    fc.tuple(fc.constantFrom(...COMMANDS), fc.string()).map(([command, args]) => buildEnv(command, { CNI_ARGS: args })),
  );
  const config = fc.record(
    {
      cniVersion: fc.oneof(fc.constantFrom("1.1.0", "0.2.0", "0.4.0", "1", ""), fc.jsonValue()),
      name: fc.oneof(fc.constant("pods"), fc.jsonValue()),
      prevResult: fc.oneof(fc.jsonValue(), fc.record({ ips: fc.jsonValue(), dns: fc.jsonValue(), routes: fc.jsonValue() })),
      "cni.dev/valid-attachments": fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const stdin = fc.oneof(
    fc.string(),
    fc.json(),
    config.map((document) => JSON.stringify(document)),
  );
  const thrown = fc.anything({ withNullPrototype: true, withBigInt: true });

  test("property: any environment and stdin give one JSON document, or nothing on success of a silent command", async () => {
    await fc.assert(
      fc.asyncProperty(env, stdin, async (variables, text) => {
        const { exitCode, writes, answer, handled, reads } = await call(variables, text);
        expect(reads).toBeLessThanOrEqual(1);
        if (writes.length === 0) {
          expect(exitCode).toBe(0);
          expect(["del", "check", "gc", "status"]).toContain(handled[0]?.name);
        } else {
          expect(writes).toHaveLength(1);
          expect(exitCode).toBe(answer !== undefined && "code" in answer ? 1 : 0);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("property: whatever a handler throws becomes one error document", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("ADD", "DEL", "CHECK", "GC", "STATUS"), thrown, async (command, failure) => {
        const fail = (): never => {
          throw failure;
        };
        const { exitCode, writes, answer } = await call(buildEnv(command), buildStdin(), {
          add: fail,
          del: fail,
          check: fail,
          gc: fail,
          status: fail,
        });
        expect({ exitCode, count: writes.length }).toEqual({ exitCode: 1, count: 1 });
        expect(answer).toMatchObject({ code: command === "STATUS" ? 50 : 999, msg: matching(/.*/) });
      }),
    );
  });

  test("property: whatever ADD answers, the runtime gets a result or an error document", async () => {
    const wrong = fc.oneof(
      fc.anything(),
      fc.record({ interfaces: fc.anything(), ips: fc.anything(), routes: fc.anything(), dns: fc.anything() }),
    );
    await fc.assert(
      fc.asyncProperty(wrong, async (result) => {
        const { writes, answer } = await call(buildEnv("ADD"), buildStdin(), { add: () => Promise.resolve(result as CniResult) });
        expect(writes).toHaveLength(1);
        expect(answer).toMatchObject({ cniVersion: "1.1.0" });
      }),
    );
  });

  test("a handler that throws at once is no different", async () => {
    const { answer } = await call(buildEnv("DEL"), buildStdin(), {
      del: () => {
        throw new Error("at once");
      },
    });
    expect(answer).toMatchObject({ code: 999 });
  });

  test("a stdout that is closed gives exit code 1, also for a result", async () => {
    const idle = (): Promise<void> => Promise.resolve();
    const handlers = { add: () => Promise.resolve(FULL_RESULT), del: idle, check: idle, gc: idle, status: idle };
    const closed = (): never => {
      throw new Error("EPIPE");
    };
    expect(await dispatch({ env: buildEnv("ADD"), readStdin: buildStdin, writeStdout: closed }, handlers)).toBe(1);
  });

  test("the request of ADD has everything the engine needs", async () => {
    const stdin = buildStdin();
    const { handled } = await call(buildEnv("ADD", { CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAME=web" }), stdin);
    expect(handled).toEqual([
      {
        name: "add",
        request: {
          command: "ADD",
          containerId: "abc",
          netns: buildEnv("ADD")["CNI_NETNS"],
          ifname: "eth0",
          args: { podName: "web" },
          path: "C:\\cni",
          trace: {},
          cniVersion: "1.1.0",
          networkName: "pods",
          rawConfig: JSON.parse(stdin) as unknown,
          stdin,
          prevResult: { ...BARE_RESULT, ips: [{ address: "10.244.3.7/24" }] },
          resultNeedsAddress: false,
        },
      },
    ]);
  });
});

describe("versions", () => {
  test.each([
    ["", [0, 1, 0]],
    ["1", [1, 0, 0]],
    ["0.4", [0, 4, 0]],
    ["1.10.2", [1, 10, 2]],
  ])("%p is %j", (text, expected) => expect(parseVersion(text)).toEqual(expected));

  test.each(["1.0.0.0", "v1", "1.", ".1", "1..0", "-1.0.0", "1.0.0-rc1", " 1"])("%p is no version", (text) =>
    expect(() => parseVersion(text)).toThrow("is no version"),
  );

  test.each([
    ["1.10.0", "1.9.0", 1],
    ["0.4.0", "1.0.0", -1],
    ["1.0.1", "1.0.0", 1],
    ["1", "1.0.0", 0],
  ])("%s compared with %s is %i", (left, right, sign) => expect(Math.sign(compareVersions(left, right))).toBe(sign));
});
