/** IANA protocol numbers under the names the configuration may use. HNS documents name protocols by number alone. */
export const PROTOCOL_NUMBERS = { icmp: 1, igmp: 2, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 } as const;

export type ProtocolName = keyof typeof PROTOCOL_NUMBERS;

/** In ACLs: every protocol. */
export const ANY_PROTOCOL = 256;

/** Which HNS takes in ACLs from version 11.0 on. */
export const PROTOCOL_252 = 252;

/** Protocols whose packets carry ports, so that a rule may name ports. */
export const PROTOCOLS_WITH_PORTS: readonly number[] = [PROTOCOL_NUMBERS.tcp, PROTOCOL_NUMBERS.udp, PROTOCOL_NUMBERS.sctp];

/** The number of a protocol given by number or by name in any case; undefined when it is neither, or outside 0 to 256. */
export function findProtocol(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isInteger(value) && value >= 0 && value <= ANY_PROTOCOL ? value : undefined;
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  if (/^\d{1,3}$/.test(text)) return findProtocol(Number(text));
  const name = text.toLowerCase();
  // Every key of the table is a ProtocolName; others were just ruled out.
  return Object.hasOwn(PROTOCOL_NUMBERS, name) ? PROTOCOL_NUMBERS[name as ProtocolName] : undefined;
}
