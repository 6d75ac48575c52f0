import { PluginError } from "../base/errors.ts";
import { sameGuid } from "../base/ids.ts";
import type { CniDns, CniInterface, CniResult } from "./result.ts";

/** Whether an interface of a result is the one of this name in this sandbox; one without a sandbox is the node's. */
export function isInSandbox(entry: CniInterface, { ifname, netns }: { readonly ifname: string; readonly netns: string }): boolean {
  const { name, sandbox = "" } = entry;
  return name === ifname && sandbox !== "" && (sandbox === netns || sameGuid(sandbox, netns));
}

/**
 * Throws INVALID_CONFIG when a plugin before this one has made the interface that this ADD is to make: the specification wants an error
 * for an interface that exists. An ADD that a runtime repeats brings no result of ours, so it is not meant here.
 */
export function requireFreeInterface(request: { readonly ifname: string; readonly netns: string; readonly prevResult?: CniResult }): void {
  const { ifname, netns, prevResult } = request;
  if (prevResult?.interfaces.some((entry) => isInSandbox(entry, request)) !== true) return;
  throw new PluginError("INVALID_CONFIG", {
    message: `prevResult has the interface "${ifname}" in the sandbox ${netns} already: another plugin of the list made it`,
    remedy: "leave one plugin in the list that makes the pod's interface; a second one needs a list and a CNI_IFNAME of its own",
    field: "prevResult",
  });
}

/**
 * The result of a plugin that comes after another one: what that one made, unchanged, and then what is ours. Of DNS, a domain that is
 * there stays, and what both say is there once. Source: the specification, by which an ADD that was given a prevResult must answer with it.
 */
export function appendResult(previous: CniResult | undefined, ours: CniResult): CniResult {
  if (previous === undefined) return ours;
  const shift = previous.interfaces.length;
  const ips = ours.ips.map((ip) => (ip.interface === undefined ? ip : { ...ip, interface: ip.interface + shift }));
  return {
    interfaces: [...previous.interfaces, ...ours.interfaces],
    ips: [...previous.ips, ...ips],
    routes: [...previous.routes, ...ours.routes],
    dns: appendDns(previous.dns, ours.dns),
  };
}

function appendDns(previous: CniDns, ours: CniDns): CniDns {
  const domain = previous.domain ?? ours.domain;
  return {
    nameservers: unite(previous.nameservers, ours.nameservers),
    ...(domain !== undefined && { domain }),
    search: unite(previous.search, ours.search),
    options: unite(previous.options, ours.options),
  };
}

function unite(left: readonly string[], right: readonly string[]): string[] {
  return [...new Set([...left, ...right])];
}
