import type { CniHandlers } from "../core/cni/dispatch.ts";
import type { CniResult } from "../core/cni/result.ts";
import { normaliseHnsAddressed } from "../core/config/normalise.ts";
import type { OurNames } from "../core/config/our-names.ts";
import { withRequestedMac } from "../core/config/pod-request.ts";
import { attachHnsAddressed, checkHnsAddressed, reportHnsAddressedStatus } from "../core/engine/hns-addressed.ts";
import { askedFor, buildHandlers, podName, type RunOperation, shorten } from "./handlers.ts";

/** The engine's use cases where HNS chooses the addresses. */
export function buildHnsAddressedHandlers(run: RunOperation, names: OurNames): CniHandlers {
  return {
    ...buildHandlers(run, names),
    add: async (request) => {
      const { containerId, ifname, netns, args, rawConfig, networkName: network } = request;
      let result: CniResult | undefined;
      const read = withRequestedMac(normaliseHnsAddressed(rawConfig, names), rawConfig, args);
      await run(read, { command: "ADD", container: containerId, pod: podName(args) }, async (operation) => {
        result = await attachHnsAddressed(operation, { network, containerId, ifname, netns, asked: askedFor(request, names) });
      });
      if (result === undefined) throw new Error("the ADD ended without a result");
      return result;
    },
    check: ({ containerId, ifname, netns, rawConfig, prevResult, networkName: network }) =>
      run(normaliseHnsAddressed(rawConfig, names), { command: "CHECK", container: containerId }, (operation) =>
        checkHnsAddressed(operation, { network, containerId, ifname, netns, prevResult }),
      ),
    status: ({ rawConfig }) => run(shorten(normaliseHnsAddressed(rawConfig, names)), { command: "STATUS" }, reportHnsAddressedStatus),
  };
}
