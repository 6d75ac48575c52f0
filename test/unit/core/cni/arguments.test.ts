import fc from "fast-check";
import { PluginError } from "../../../../src/core/base/errors.ts";
import { parseArguments } from "../../../../src/core/cni/arguments.ts";

describe("parseArguments", () => {
  test("reads what containerd sends, in any order (point 22)", () => {
    const pairs = [
      "K8S_POD_NAMESPACE=default",
      "K8S_POD_NAME=web",
      "K8S_POD_INFRA_CONTAINER_ID=abc",
      "K8S_POD_UID=u-1",
      "IgnoreUnknown=1",
      "OTHER=x",
    ];
    const expected = { podNamespace: "default", podName: "web", podUid: "u-1", podSandboxId: "abc" };
    fc.assert(
      fc.property(fc.shuffledSubarray(pairs, { minLength: pairs.length }), (order) =>
        expect(parseArguments(order.join(";"))).toEqual(expected),
      ),
    );
  });

  test.each([
    ["", {}],
    ["IP=10.0.0.4;MAC=00-15-5D-00-00-01", { ips: [{ family: 4, value: 0x0a000004 }], mac: "00:15:5d:00:00:01" }],
    [
      "IP=10.0.0.4/24,fd00::4",
      {
        ips: [
          { family: 4, value: 0x0a000004 },
          { family: 6, value: 0xfd00_0000_0000_0000_0000_0000_0000_0004n },
        ],
      },
    ],
    ["IP=;MAC=;K8S_POD_NAME=", {}],
    ["K8S_POD_NAME=a;K8S_POD_NAME=b", { podName: "b" }],
    ["X=1;IgnoreUnknown=True", {}],
    ["K8S_POD_NAME= a ", { podName: " a " }],
  ])("%p", (text, expected) => expect(parseArguments(text)).toEqual(expected));

  test.each([
    ["A", 'invalid pair "A"'],
    ["K8S_POD_NAME=a=b", 'invalid pair "K8S_POD_NAME=a=b"'],
    ["K8S_POD_NAME=a;", 'invalid pair ""'],
    [";K8S_POD_NAME=a", 'invalid pair ""'],
    ["X=1", 'unknown keys ["X"]'],
    ["X=1;IgnoreUnknown=0", 'unknown keys ["X"]'],
    ["X=1; IgnoreUnknown=1", 'unknown keys ["X"," IgnoreUnknown"]'],
    ["k8s_pod_name=a", 'unknown keys ["k8s_pod_name"]'],
    ["IgnoreUnknown=yes", "no truth value"],
    ["IP=node", "no IP address"],
    ["IP=10.0.0.4,", "no IP address"],
    ["MAC=1", "no MAC address"],
  ])("%p is refused: %s", (text, problem) => {
    expect(() => parseArguments(text)).toThrow(problem);
    expect(() => parseArguments(text)).toThrow(PluginError);
  });

  test("property: any text gives values that stood in it, or INVALID_ENVIRONMENT", () => {
    const key = fc.constantFrom("K8S_POD_NAME", "K8S_POD_UID", "IgnoreUnknown", "IP", "MAC", "X", "__proto__");
    const pair = fc.tuple(key, fc.string()).map(([name, value]) => `${name}=${value}`);
    const text = fc.oneof(
      fc.string(),
      fc.array(pair).map((parts) => parts.join(";")),
    );
    fc.assert(
      fc.property(text, (value) => {
        try {
          const { podName, podUid } = parseArguments(value);
          for (const part of [podName, podUid]) if (part !== undefined) expect(value).toContain(part);
        } catch (thrown) {
          expect(thrown).toMatchObject({ name: "PluginError", code: "INVALID_ENVIRONMENT" });
        }
      }),
    );
  });

  test("property: well-formed pairs come back as they were written", () => {
    const value = fc.string({ minLength: 1 }).filter((text) => !/[;=]/.test(text));
    fc.assert(
      fc.property(value, value, (podName, podNamespace) => {
        expect(parseArguments(`K8S_POD_NAME=${podName};K8S_POD_NAMESPACE=${podNamespace}`)).toEqual({ podName, podNamespace });
      }),
    );
  });
});
