import { findIp } from "../../../../src/core/base/ip.ts";
import type { CniArguments } from "../../../../src/core/cni/arguments.ts";
import { refuseRanges, withRequest } from "../../../../src/core/config/pod-request.ts";
import { buildConfig } from "../../../support/engine-fixture.ts";

describe("withRequest", () => {
  const NOTES = "io.kubernetes.cri.pod-annotations";
  const calico = { "cni.projectcalico.org/ipAddrs": '["10.0.0.4"]' };
  const ours = { ...calico, "hns-cni.io/ip-addresses": "10.0.0.3, fd00::3/64" };
  const args = { ips: [{ family: 4, value: 0x0a000002 } as const] };

  function read(raw: object, cniArgs: CniArguments = {}): { from: string; address: string }[] {
    const { config } = withRequest({ config: buildConfig(), warnings: [] }, { ...raw }, cniArgs);
    const shown = (address: unknown): string =>
      ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "fd00::1", "fd00::3"].find((text) => equal(findIp(text), address)) ?? "";
    return (config.request?.addresses ?? []).map(({ address, from }) => ({ address: shown(address), from }));
  }

  function equal(left: unknown, right: unknown): boolean {
    return String(Object.values(left ?? {})) === String(Object.values(right ?? {}));
  }

  test.each<[string, object, CniArguments, object[]]>([
    [
      "runtimeConfig over all",
      { runtimeConfig: { ips: ["10.0.0.1/24"], [NOTES]: ours }, args: { cni: { ips: ["fd00::1"] } } },
      args,
      [{ address: "10.0.0.1", from: "runtimeConfig.ips[0]" }],
    ],
    [
      "args over CNI_ARGS",
      { args: { cni: { ips: ["fd00::1"] } }, RuntimeConfig: { IPs: [], [NOTES]: ours } },
      args,
      [{ address: "fd00::1", from: "args.cni.ips[0]" }],
    ],
    ["CNI_ARGS over annotations", { runtimeConfig: { ips: null, [NOTES]: ours } }, args, [{ address: "10.0.0.2", from: "CNI_ARGS" }]],
    [
      "our annotation over Calico's",
      { runtimeConfig: { [NOTES]: ours } },
      {},
      [
        { address: "10.0.0.3", from: "hns-cni.io/ip-addresses[0]" },
        { address: "fd00::3", from: "hns-cni.io/ip-addresses[1]" },
      ],
    ],
    [
      "Calico's annotation",
      { runtimeConfig: { [NOTES]: calico } },
      {},
      [{ address: "10.0.0.4", from: "cni.projectcalico.org/ipAddrs[0]" }],
    ],
    ["nothing", { runtimeConfig: { [NOTES]: { "hns-cni.io/ip-addresses": "" } }, args: { cni: {} } }, {}, []],
  ])("point 80: reads addresses from the first place that names any: %s", (_, raw, cniArgs, expected) => {
    expect(read(raw, cniArgs)).toEqual(expected);
  });

  test.each<[object, CniArguments, string | undefined]>([
    [{ runtimeConfig: { mac: "00-15-5D-00-00-01" }, args: { cni: { mac: "x" } } }, {}, "00:15:5d:00:00:01"],
    [{ args: { cni: { mac: "0015.5d00" } }, runtimeConfig: { mac: "00155d000002" } }, {}, "00:15:5d:00:00:02"],
    [{ args: { cni: { mac: "00:15:5d:00:00:03" } }, runtimeConfig: { mac: "" } }, {}, "00:15:5d:00:00:03"],
    [{ runtimeConfig: { [NOTES]: { "hns-cni.io/mac-address": "00:15:5d:00:00:04" } } }, {}, "00:15:5d:00:00:04"],
    [{}, {}, undefined],
  ])("reads the MAC address of %j", (raw, cniArgs, expected) => {
    expect(withRequest({ config: buildConfig(), warnings: [] }, { ...raw }, cniArgs).config.mac).toBe(expected);
  });

  test.each<[object, RegExp]>([
    [
      { runtimeConfig: { ips: ["10.0.0.1", "node", 5] } },
      /2 faults: .*runtimeConfig\.ips\[1\] is "node": is no IP address.*runtimeConfig\.ips\[2\] is 5/,
    ],
    [{ args: { cni: { ips: "10.0.0.1" } } }, /args\.cni\.ips is "10\.0\.0\.1": must be a list of addresses/],
    [
      { runtimeConfig: { [NOTES]: { "hns-cni.io/ip-addresses": "[10.0.0.1" } } },
      /hns-cni\.io\/ip-addresses is "\[10\.0\.0\.1": must be a list/,
    ],
    [{ runtimeConfig: { [NOTES]: { "hns-cni.io/ip-addresses": "10.0.0.1;10.0.0.2" } } }, /ip-addresses\[0\] .*is no IP address/],
    [{ runtimeConfig: { mac: "01-00-5e-00-00-01" } }, /runtimeConfig\.mac .*is a MAC address of a group; write a unicast/],
    [{ args: { cni: { mac: "00-00-00-00-00-00" } } }, /args\.cni\.mac .*is the MAC address of nobody/],
    [{ runtimeConfig: { [NOTES]: { "hns-cni.io/mac-address": "00-15-5D" } } }, /hns-cni\.io\/mac-address .*is no MAC address/],
  ])("tells what is none: %j", (raw, message) => {
    expect(() => withRequest({ config: buildConfig(), warnings: [] }, { ...raw }, {})).toThrow(message);
  });
});

test("point 79: ranges that a network of ours cannot serve are refused, not passed over", () => {
  expect(() => refuseRanges({ RuntimeConfig: { IPRanges: [[{ subnet: "10.3.0.0/24" }]] } })).toThrow(
    /runtimeConfig\.ipRanges is a list of 1: cannot be served/,
  );
  expect(() => refuseRanges({ runtimeConfig: { ipRanges: [] } })).not.toThrow();
  expect(() => refuseRanges({ runtimeConfig: { ipRanges: null } })).not.toThrow();
});
