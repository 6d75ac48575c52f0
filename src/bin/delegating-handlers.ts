import type { Logger } from "../core/base/log.ts";
import type { CniHandlers } from "../core/cni/dispatch.ts";
import type { CniRequest } from "../core/cni/request.ts";
import type { CniResult } from "../core/cni/result.ts";
import { normaliseDelegated, normaliseForDelete } from "../core/config/normalise.ts";
import { findIpamType, type OurNames } from "../core/config/our-names.ts";
import type { HostConfig } from "../core/config/plugin-config.ts";
import { withRequestedMac } from "../core/config/pod-request.ts";
import { type DelegateProgram, IpamDelegate } from "../core/engine/delegate.ts";
import { attachDelegated, checkDelegated, reportDelegatedStatus } from "../core/engine/delegated.ts";
import { detach } from "../core/engine/detach.ts";
import { collectGarbage } from "../core/engine/gc.ts";
import type { Operation } from "../core/engine/operation.ts";
import { askedFor, podName, type RunOperation, shorten } from "./handlers.ts";

/** The program that `ipam.type` names, with the environment of this call. */
export type OpenDelegate = (options: { type: string; path: string; stdin: string; log: Logger }) => DelegateProgram;

export interface DelegatingOptions {
  readonly run: RunOperation;
  readonly names: OurNames;
  readonly openDelegate: OpenDelegate;
}

/** The engine's use cases where another program gives the addresses. */
export function buildDelegatingHandlers({ run, names, openDelegate }: DelegatingOptions): CniHandlers {
  const open = ({ path, stdin, rawConfig }: CniRequest, { machine, log }: Operation<HostConfig>): IpamDelegate =>
    new IpamDelegate(openDelegate({ type: findIpamType(rawConfig) ?? "", path, stdin, log }), machine.clock);
  return {
    add: async (request) => {
      const { containerId, ifname, netns, args, rawConfig, networkName: network } = request;
      let result: CniResult | undefined;
      const read = withRequestedMac(normaliseDelegated(rawConfig, names), rawConfig, args);
      await run(read, { command: "ADD", container: containerId, pod: podName(args) }, async (operation) => {
        result = await attachDelegated(
          operation,
          { network, containerId, ifname, netns, asked: askedFor(request, names) },
          open(request, operation),
        );
      });
      if (result === undefined) throw new Error("the ADD ended without a result");
      return result;
    },
    del: (request) => {
      const { containerId, ifname, netns, rawConfig, networkName: network } = request;
      return run(normaliseForDelete(rawConfig), { command: "DEL", container: containerId }, (operation) => {
        const delegate = open(request, operation);
        return detach(operation, { network, containerId, ifname, netns }, () => delegate.del(operation.deadline));
      });
    },
    check: (request) => {
      const { containerId, ifname, netns, rawConfig, prevResult, networkName: network } = request;
      return run(normaliseDelegated(rawConfig, names), { command: "CHECK", container: containerId }, (operation) =>
        checkDelegated(operation, { network, containerId, ifname, netns, prevResult }, open(request, operation)),
      );
    },
    gc: (request) => {
      const { rawConfig, validAttachments, networkName: network } = request;
      return run(normaliseForDelete(rawConfig), { command: "GC" }, (operation) =>
        collectGarbage(operation, { network, valid: validAttachments }, open(request, operation)),
      );
    },
    status: (request) =>
      run(shorten(normaliseDelegated(request.rawConfig, names)), { command: "STATUS" }, (operation) =>
        reportDelegatedStatus(operation, open(request, operation)),
      ),
  };
}
