import type { LogFields } from "../core/base/log.ts";
import type { CniHandlers } from "../core/cni/dispatch.ts";
import type { CniRequest } from "../core/cni/request.ts";
import type { CniResult } from "../core/cni/result.ts";
import type { ConfigReader } from "../core/config/config-reader.ts";
import { normalise, normaliseForDelete } from "../core/config/normalise.ts";
import { type OurNames, PRODUCT_TYPE } from "../core/config/our-names.ts";
import type { HostConfig, Normalised } from "../core/config/plugin-config.ts";
import { refuseRanges, withRequest } from "../core/config/pod-request.ts";
import { attach } from "../core/engine/attach.ts";
import type { AskedFor } from "../core/engine/attachment.ts";
import { check } from "../core/engine/check.ts";
import { detach } from "../core/engine/detach.ts";
import { collectGarbage } from "../core/engine/gc.ts";
import { forNetworkNode } from "../core/engine/node-pools.ts";
import type { Operation } from "../core/engine/operation.ts";
import { reportStatus } from "../core/engine/status.ts";

/** STATUS is asked every few seconds and holds up the runtime: it never waits long. */
const STATUS_MS = 5_000;

/** Opens what an operation needs, does `work` with it, and closes it again. `context` is for every line of the log. */
export type RunOperation = <C extends HostConfig>(
  read: Normalised<C>,
  context: LogFields,
  work: (operation: Operation<C>) => Promise<void>,
) => Promise<void>;

/** The engine's use cases as dispatch calls them, where the addresses are ours. */
export function buildHandlers(
  run: RunOperation,
  names: OurNames = [],
  reader: ConfigReader = { normalise, normaliseForDelete },
): CniHandlers {
  return {
    add: async (request) => {
      const { containerId, ifname, netns, args, rawConfig, networkName: network } = request;
      let result: CniResult | undefined;
      refuseRanges(rawConfig);
      const read = withRequest(reader.normalise(rawConfig, names), rawConfig, args);
      await run(read, { command: "ADD", container: containerId, pod: podName(args) }, async (operation) => {
        result = await attach(forNetworkNode(operation), { network, containerId, ifname, netns, asked: askedFor(request, names) });
      });
      if (result === undefined) throw new Error("the ADD ended without a result");
      return result;
    },
    del: ({ containerId, ifname, netns, rawConfig, networkName: network }) =>
      run(reader.normaliseForDelete(rawConfig), { command: "DEL", container: containerId }, (operation) =>
        detach(operation, { network, containerId, ifname, netns }),
      ),
    check: ({ containerId, ifname, netns, rawConfig, prevResult, networkName: network }) =>
      run(reader.normalise(rawConfig, names), { command: "CHECK", container: containerId }, (operation) =>
        check(forNetworkNode(operation), { network, containerId, ifname, netns, prevResult }),
      ),
    gc: ({ rawConfig, validAttachments, networkName: network }) =>
      run(reader.normaliseForDelete(rawConfig), { command: "GC" }, (operation) =>
        collectGarbage(operation, { network, valid: validAttachments }),
      ),
    status: ({ rawConfig }) =>
      run(shorten(reader.normalise(rawConfig, names)), { command: "STATUS" }, (operation) => reportStatus(forNetworkNode(operation))),
  };
}

export function shorten<C extends HostConfig>(read: Normalised<C>): Normalised<C> {
  const { config } = read;
  return { ...read, config: { ...config, operationTimeoutMs: Math.min(config.operationTimeoutMs, STATUS_MS) } };
}

/** What an ADD leaves to be remembered. */
export function askedFor({ rawConfig }: Pick<CniRequest, "rawConfig">, names: OurNames): AskedFor {
  return { config: rawConfig, program: names[0] ?? PRODUCT_TYPE };
}

export function podName(args: { podNamespace?: string; podName?: string }): string | undefined {
  return args.podName === undefined ? undefined : `${args.podNamespace ?? ""}/${args.podName}`;
}
