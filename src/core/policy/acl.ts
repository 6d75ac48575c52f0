import { type Cidr, formatCidr, formatIp, type IpAddress } from "../base/ip.ts";
import type { PolicyDocument } from "../hcn/documents.ts";
import { ANY_PROTOCOL, PROTOCOL_NUMBERS, type ProtocolName } from "./protocols.ts";

export type AclAction = "Allow" | "Block";
export type AclDirection = "In" | "Out";
/** Host rules stand in the node's firewall (WFP), Switch rules at the virtual switch's port (VFP). */
export type AclRuleType = "Host" | "Switch";

/**
 * Where rules stand in the order HNS tries them, the lowest number first. Bands leave room for others: 900 and 1000 are where Calico and
 * Microsoft's plugins put the same rules, and 65500 is below all of theirs.
 */
export const ACL_PRIORITY = {
  /** What no later rule may open, such as the metadata service; to 899. */
  guard: 200,
  /** The node to its own pods: probes. */
  node: 900,
  portMapping: 1000,
  /** First and last of what network policies and security groups ask for. */
  policyFirst: 2000,
  policyLast: 60_000,
  /** Blocks what no policy allowed. */
  defaultDeny: 65_000,
  /** Allows what no rule spoke of. */
  tail: 65_500,
} as const;

/** Ports from `first` to `last`, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export interface AclRule {
  readonly action: AclAction;
  readonly direction: AclDirection;
  /** 1 to 65535; see ACL_PRIORITY. */
  readonly priority: number;
  /** Default: Switch. */
  readonly ruleType?: AclRuleType;
  /** Names or numbers; none means every protocol. */
  readonly protocols?: readonly (ProtocolName | number)[];
  /** The pod's side; none means any. */
  readonly localAddresses?: readonly (Cidr | IpAddress)[];
  readonly remoteAddresses?: readonly (Cidr | IpAddress)[];
  /** Need protocols that have ports. */
  readonly localPorts?: readonly PortRange[];
  readonly remotePorts?: readonly PortRange[];
}

/**
 * One rule of an endpoint. Lists become texts with commas, protocols numbers, every protocol "256"; what is not limited is left out.
 * Does not check: `checkAclSettings` tells what HNS would refuse.
 * Source: `{"Type":"ACL","Settings":{"Protocols":"6","Action":"Block","Direction":"Out","RemoteAddresses":"168.63.129.16","RemotePorts":"80",
 * "Priority":200,"RuleType":"Switch"}}` of the HCN schema.
 */
export function buildAcl(rule: AclRule): PolicyDocument {
  const protocols = (rule.protocols ?? []).map((protocol) => (typeof protocol === "number" ? protocol : PROTOCOL_NUMBERS[protocol]));
  return {
    Type: "ACL",
    Settings: {
      Action: rule.action,
      Direction: rule.direction,
      RuleType: rule.ruleType ?? "Switch",
      Protocols: protocols.length === 0 ? String(ANY_PROTOCOL) : joinUnique(protocols.map(String)),
      ...list("LocalAddresses", rule.localAddresses, formatEither),
      ...list("RemoteAddresses", rule.remoteAddresses, formatEither),
      ...list("LocalPorts", rule.localPorts, formatPorts),
      ...list("RemotePorts", rule.remotePorts, formatPorts),
      Priority: rule.priority,
    },
  };
}

/** Allows or blocks everything of a direction at `priority`. */
export function buildCatchAll(
  action: AclAction,
  direction: AclDirection,
  priority: number,
  ruleType: AclRuleType = "Switch",
): PolicyDocument {
  return buildAcl({ action, direction, priority, ruleType });
}

function list<T>(field: string, items: readonly T[] | undefined, format: (item: T) => string): Record<string, string> {
  return items === undefined || items.length === 0 ? {} : { [field]: joinUnique(items.map(format)) };
}

function joinUnique(texts: readonly string[]): string {
  return [...new Set(texts)].join(",");
}

function formatEither(address: Cidr | IpAddress): string {
  return "family" in address ? formatIp(address) : formatCidr(address);
}

function formatPorts({ first, last }: PortRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}
