import type { CniHandlers } from "../core/cni/dispatch.ts";
import type { AttachmentRequest } from "../core/cni/request.ts";
import type { CniResult } from "../core/cni/result.ts";
import { type IpamRoleConfig, normaliseIpamRole, normaliseIpamRoleForDelete } from "../core/config/ipam-role.ts";
import type { Normalised } from "../core/config/plugin-config.ts";
import { withRequest } from "../core/config/pod-request.ts";
import { checkAddress, reportIpamStatus, reserveAddress, returnAddress, returnStaleAddresses } from "../core/engine/ipam-role.ts";
import { forNode } from "../core/engine/node-pools.ts";
import { podName, type RunOperation } from "./handlers.ts";

/** The use cases of the IPAM interface, for a plugin whose `ipam.type` names this program. `readText` reads a file. */
export function buildIpamHandlers(run: RunOperation, readText: (path: string) => string): CniHandlers {
  return {
    add: async (request) => {
      let result: CniResult | undefined;
      await run(readForAdd(request), context("ADD", request), async (operation) => {
        result = await reserveAddress(forNode(operation), keyOf(request), readText);
      });
      if (result === undefined) throw new Error("the ADD ended without a result");
      return result;
    },
    del: (request) =>
      run(normaliseIpamRoleForDelete(request.rawConfig), context("DEL", request), (operation) => returnAddress(operation, keyOf(request))),
    check: (request) =>
      run(normaliseIpamRole(request.rawConfig), context("CHECK", request), (operation) =>
        checkAddress(forNode(operation), { ...keyOf(request), prevResult: request.prevResult }),
      ),
    gc: ({ rawConfig, validAttachments, networkName: network }) =>
      run(normaliseIpamRoleForDelete(rawConfig), { role: "ipam", command: "GC" }, (operation) =>
        returnStaleAddresses(operation, { network, valid: validAttachments }),
      ),
    status: ({ rawConfig }) =>
      run(normaliseIpamRole(rawConfig), { role: "ipam", command: "STATUS" }, (operation) => reportIpamStatus(forNode(operation))),
  };
}

function readForAdd({ rawConfig, args }: AttachmentRequest): Normalised<IpamRoleConfig> {
  return withRequest(normaliseIpamRole(rawConfig), rawConfig, args);
}

function keyOf({ networkName: network, containerId, ifname }: AttachmentRequest): { network: string; containerId: string; ifname: string } {
  return { network, containerId, ifname };
}

function context(command: string, { containerId, args }: AttachmentRequest): Record<string, string | undefined> {
  return { role: "ipam", command, container: containerId, pod: podName(args) };
}
