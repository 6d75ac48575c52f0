import type { CniDns, CniResult } from "./result.ts";

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
