import { buildGuid, type Guid, PRODUCT_NAMESPACE } from "../base/ids.ts";
import type { JsonObject } from "../cni/json.ts";

/**
 * One interface of one sandbox on one network. `phase` says how far the work got:
 * intent: addresses are taken, HNS may have the endpoint · created: it has, under `endpoint` · attached: ADD answered ·
 * deleting: it must go, HNS has not confirmed that it is gone · gone: nothing is left; kept for a while to answer repeats.
 */
export type Phase = "intent" | "created" | "attached" | "deleting" | "gone";

/** The key of an attachment as the runtime names it. */
export interface AttachmentKey {
  readonly network: string;
  readonly containerId: string;
  readonly ifname: string;
}

/** What an ADD is asked for: the key, and the host compute namespace of the sandbox. */
export interface AttachRequest extends AttachmentKey {
  readonly netns: string;
  /** What is kept with the attachment, so that it can be made again; absent keeps nothing. */
  readonly asked?: AskedFor;
}

/** The words of an ADD. */
export interface AskedFor {
  /** The configuration as it came. */
  readonly config: JsonObject;
  /** The name by which the runtime called this program. */
  readonly program: string;
}

export interface Attachment extends AttachmentKey {
  readonly id: Guid;
  readonly netns: string;
  /** The endpoint's id in HNS: ours, or the one HNS chose when it did not honour ours. */
  readonly endpoint: Guid;
  readonly phase: Phase;
  /** The ADD result in the newest version of the specification, as JSON text; undefined until attached. */
  readonly result: string | undefined;
  /** Set by a DEL that came while an ADD was under way. */
  readonly isCancelled: boolean;
  readonly bootId: string;
  readonly updatedAt: number;
}

/** The attachment's id, which is also the endpoint id we ask HNS for: UUIDv5 of network, container and interface. */
export function attachmentId(key: AttachmentKey): Guid {
  return buildGuid(PRODUCT_NAMESPACE, ["endpoint", key.network, key.containerId, key.ifname]);
}

/**
 * `<container id>_<network>`, the name the reference plugins give, so that other tools recognise it; a second interface of the
 * pod carries its own name, so that two on one network never collide.
 */
export function endpointName(key: AttachmentKey): string {
  const name = `${key.containerId}_${key.network}`;
  return key.ifname === "eth0" ? name : `${name}_${key.ifname}`;
}

/** The reverse of endpointName; undefined when the name has another form. Container ids are taken to hold no network's name. */
export function parseEndpointName(name: string, network: string): AttachmentKey | undefined {
  const marker = `_${network}`;
  for (let at = name.indexOf(marker, 1); at > 0; at = name.indexOf(marker, at + 1)) {
    const rest = name.slice(at + marker.length);
    const key = { network, containerId: name.slice(0, at), ifname: rest === "" ? "eth0" : rest.slice(1) };
    if (endpointName(key) === name) return key;
  }
  return undefined;
}

/** Every attachment that has this endpoint name; container ids, networks and interfaces may all hold the character between them. */
export function listReadings(name: string): AttachmentKey[] {
  const cuts = [...name.matchAll(/_/g)].map(({ index }) => index);
  return cuts.flatMap((start) => {
    const containerId = name.slice(0, start);
    const ends = cuts.filter((end) => end > start);
    return [
      { containerId, network: name.slice(start + 1), ifname: "eth0" },
      ...ends.map((end) => ({ containerId, network: name.slice(start + 1, end), ifname: name.slice(end + 1) })),
    ];
  });
}

/** The id of a network we create: UUIDv5 of node and network name. */
export function networkId(node: string, network: string): Guid {
  return buildGuid(PRODUCT_NAMESPACE, ["network", node, network]);
}

/** The id of the host endpoint we create on a network of ours. */
export function hostEndpointId(node: string, network: string): Guid {
  return buildGuid(PRODUCT_NAMESPACE, ["host-endpoint", node, network]);
}

export function hostEndpointName(network: string): string {
  return `${network}_ep`;
}
