import { PluginError } from "../base/errors.ts";
import { findAddressWithPrefix, findIp } from "../base/ip.ts";
import type { Family } from "../base/ip.ts";

/** An interface that ADD made. `sandbox` is the value of CNI_NETNS for one inside a container, absent for one on the node. */
export interface CniInterface {
  readonly name: string;
  readonly mac?: string;
  /** Bytes. */
  readonly mtu?: number;
  readonly sandbox?: string;
  readonly socketPath?: string;
  readonly pciId?: string;
}

/** An address of the container. `interface` is an index into the result's interfaces; absent means that none is meant. */
export interface CniIp {
  /** Address and prefix length, such as `10.244.3.7/24`. */
  readonly address: string;
  readonly gateway?: string;
  readonly interface?: number;
}

export interface CniRoute {
  /** CIDR text. */
  readonly dst: string;
  readonly gw?: string;
  readonly mtu?: number;
  readonly advmss?: number;
  readonly priority?: number;
  readonly table?: number;
  readonly scope?: number;
}

export interface CniDns {
  readonly nameservers: readonly string[];
  readonly domain?: string;
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** What ADD answers, free of any version of the specification. The order of `ips` is kept: runtimes take the first as the pod's. */
export interface CniResult {
  readonly interfaces: readonly CniInterface[];
  readonly ips: readonly CniIp[];
  readonly routes: readonly CniRoute[];
  readonly dns: CniDns;
}

export const EMPTY_DNS: CniDns = { nameservers: [], search: [], options: [] };

/** The family of an address or CIDR text; undefined when it is neither. */
export function findFamily(text: string): Family | undefined {
  return (findAddressWithPrefix(text)?.address ?? findIp(text))?.family;
}

/**
 * Throws INTERNAL when a result would mislead or crash a runtime: an address, gateway or route that is none, or an index beyond the
 * interfaces (containerd panics when the index equals their number).
 */
export function checkResult(result: CniResult): void {
  for (const [index, ip] of result.ips.entries()) {
    checkAddress(`ips[${index}].address`, ip.address);
    checkGateway(`ips[${index}].gateway`, ip.gateway);
    if (ip.interface !== undefined && result.interfaces[ip.interface] === undefined) {
      throw resultError(`ips[${index}].interface is ${ip.interface} of ${result.interfaces.length} interfaces`);
    }
  }
  for (const [index, route] of result.routes.entries()) {
    checkAddress(`routes[${index}].dst`, route.dst);
    checkGateway(`routes[${index}].gw`, route.gw);
  }
}

function checkAddress(path: string, text: string): void {
  if (findAddressWithPrefix(text) === undefined) throw resultError(`${path} ${JSON.stringify(text)} is no address with prefix`);
}

function checkGateway(path: string, text: string | undefined): void {
  if (text !== undefined && findIp(text) === undefined) throw resultError(`${path} ${JSON.stringify(text)} is no address`);
}

function resultError(problem: string): PluginError {
  return new PluginError("INTERNAL", { message: `the result is not valid: ${problem}`, remedy: "report this with the log file" });
}
