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
  const problem = findResultProblem(result);
  if (problem === undefined) return;
  throw new PluginError("INTERNAL", { message: `the result is not valid: ${problem}`, remedy: "report this with the log file" });
}

/** What would mislead a runtime, naming the field; undefined when nothing would. */
export function findResultProblem({ interfaces, ips, routes }: CniResult): string | undefined {
  const ipProblems = ips.map(({ address, gateway, interface: at }, index) => {
    const isPlaced = at === undefined || interfaces[at] !== undefined;
    return (
      findAddressProblem(`ips[${index}].address`, address) ??
      findGatewayProblem(`ips[${index}].gateway`, gateway) ??
      (isPlaced ? undefined : `ips[${index}].interface is ${at} of ${interfaces.length} interfaces`)
    );
  });
  const routeProblems = routes.map(
    ({ dst, gw }, index) => findAddressProblem(`routes[${index}].dst`, dst) ?? findGatewayProblem(`routes[${index}].gw`, gw),
  );
  return [...ipProblems, ...routeProblems].find((problem) => problem !== undefined);
}

function findAddressProblem(path: string, text: string): string | undefined {
  return findAddressWithPrefix(text) === undefined ? `${path} ${JSON.stringify(text)} is no address with prefix` : undefined;
}

function findGatewayProblem(path: string, text: string | undefined): string | undefined {
  return text !== undefined && findIp(text) === undefined ? `${path} ${JSON.stringify(text)} is no address` : undefined;
}
