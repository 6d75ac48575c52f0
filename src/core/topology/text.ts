import type { Attached, TopologyEndpoint } from "./model.ts";
import type { PolicyView, RouteView, SubnetDetail } from "../hcn/documents-detail.ts";

/** Names in HNS are whatever somebody wrote: control characters, marks that turn the direction of text, and halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]/gu;

/** Scripts whose characters are two columns wide in a monospaced font, as are emoji. */
const WIDE = /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60]/u;

const CONTAINER_ID = /[0-9a-f]{64}/gi;
const BRIEF = 12;

/** `text` with what cannot be shown, or would change what is shown beside it, replaced. */
export function cleanText(text: string): string {
  return text.replaceAll(UNPRINTABLE, "\ufffd");
}

/** This program's own arrows and ellipses in ASCII, for consoles with a code page of their own. */
export function plainText(text: string): string {
  return text.replaceAll("→", "->").replaceAll("…", "...");
}

/** A name for people: container ids are cut to their beginning, as their tools show them. */
export function shortenIds(name: string): string {
  return name.replaceAll(CONTAINER_ID, (id) => `${id.slice(0, BRIEF)}…`);
}

/** Columns of a monospaced font. */
export function textWidth(text: string): number {
  let columns = 0;
  for (const character of text) columns += WIDE.test(character) ? 2 : 1;
  return columns;
}

/** `text`, cut to at most `columns` with an ellipsis at the end when it is longer. */
export function fitText(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let [kept, used] = ["", 0];
  for (const character of text) {
    used += textWidth(character);
    if (used > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** `1 endpoint`, `2 endpoints`. */
export function countOf(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

/** How many policies of each type, in the order of their first ones: `OutBoundNAT 1, ACL 4`; "" for none. */
export function countPolicies(policies: readonly PolicyView[]): string {
  const counts = new Map<string, number>();
  for (const { type } of policies) counts.set(type, (counts.get(type) ?? 0) + 1);
  return Array.from(counts, ([type, count]) => `${type} ${count}`).join(", ");
}

export function formatRoute({ destination, nextHop }: RouteView): string {
  return nextHop === "" ? destination : `${destination} → ${nextHop}`;
}

/** `10.244.3.0/24`, `gateway 10.244.3.1`, `VSID 1`. */
export function describeSubnet({ prefix, gateway, policies }: SubnetDetail): string[] {
  const counted = countPolicies(policies);
  return [prefix, gateway === undefined ? "no gateway" : `gateway ${gateway}`, ...(counted === "" ? [] : [counted])];
}

const PLACES: Readonly<Record<Exclude<Attached, "namespace">, string>> = {
  host: "the node itself",
  "compute-system": "a compute system",
  remote: "an endpoint of another node",
  nothing: "attached to nothing",
  unknown: "in no namespace",
};

/** What an endpoint is attached to, in words. */
export function formatPlace({ attached, namespace, containers }: TopologyEndpoint): string {
  if (attached === "namespace") return `namespace ${namespace ?? ""}`;
  return attached === "compute-system" ? `compute system ${containers.join(", ")}` : PLACES[attached];
}
