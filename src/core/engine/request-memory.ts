import { PluginError } from "../base/errors.ts";
import { isJsonObject, type JsonObject } from "../cni/json.ts";
import { normalise, normaliseDelegated } from "../config/normalise.ts";
import { findRole } from "../config/our-names.ts";
import type { PluginConfig } from "../config/plugin-config.ts";
import type { Attachment, AttachmentKey } from "./attachment.ts";
import { attachmentId, networkId } from "./attachment.ts";
import { resolveDelegated } from "./delegated-config.ts";
import { parseStoredResult } from "./pod-result.ts";
import type { RequestRecord, StateTransaction } from "./store.ts";

/** An ADD as it was asked for. */
export interface RememberedCall {
  readonly key: AttachmentKey;
  readonly nodeName: string;
  readonly rawConfig: JsonObject;
  readonly program: string;
}

/** Keys of a call that say nothing of what the pod and its network are to be. */
const PASSING_KEYS: readonly string[] = ["prevResult", "cni.dev/valid-attachments"];

/**
 * Keeps what an ADD was asked for, for the attachment and for its network, so that both can be made again as they were. Does nothing for an
 * attachment that does not stand.
 */
export function rememberRequest(tx: StateTransaction, { key, nodeName, rawConfig, program }: RememberedCall): void {
  const id = attachmentId(key);
  if (tx.findAttachment(id)?.phase !== "attached") return;
  const config = JSON.stringify(Object.fromEntries(Object.entries(rawConfig).filter(([name]) => !PASSING_KEYS.includes(name))));
  for (const owner of [id, networkId(nodeName, key.network)]) tx.putRequest({ id: owner, config, program });
}

/**
 * The configuration of an attachment that stands, as its ADD had it; undefined where HNS chose the address, which cannot be had again.
 * Throws INVALID_CONFIG when this program no longer takes it.
 */
export function configOfAttachment(request: RequestRecord, attachment: Attachment): PluginConfig | undefined {
  const raw = parseRaw(request);
  const names = [request.program];
  const role = findRole(raw, names);
  if (role === "delegating") return resolveDelegated(normaliseDelegated(raw, names).config, parseStoredResult(attachment.result)).config;
  return role === "plugin" ? normalise(raw, names).config : undefined;
}

/** The configuration of a network; undefined where only an address of somebody else's would tell its range. Throws INVALID_CONFIG. */
export function configOfNetwork(request: RequestRecord): PluginConfig | undefined {
  const raw = parseRaw(request);
  const names = [request.program];
  return findRole(raw, names) === "plugin" ? normalise(raw, names).config : undefined;
}

function parseRaw({ config }: RequestRecord): JsonObject {
  const raw: unknown = JSON.parse(config);
  if (isJsonObject(raw)) return raw;
  throw new PluginError("STATE_DAMAGED", { message: "state.db is damaged: a request is no JSON object", remedy: "move state.db aside" });
}
