import { PluginError } from "../base/errors.ts";
import type { Guid } from "../base/ids.ts";
import { findAddressWithPrefix } from "../base/ip.ts";
import { isJsonObject, type JsonObject } from "../cni/json.ts";
import { normalise, normaliseDelegated, normaliseHnsAddressed } from "../config/normalise.ts";
import { findRole } from "../config/our-names.ts";
import type { AttachableConfig, HnsAddressedConfig, NetworkConfig } from "../config/plugin-config.ts";
import { type Attachment, type AttachRequest, networkId } from "./attachment.ts";
import { resolveDelegated } from "./delegated-config.ts";
import type { Operation } from "./operation.ts";
import { parseStoredResult } from "./pod-result.ts";
import type { RequestRecord, StateTransaction } from "./store.ts";

/** Keys of a call that say nothing of what the pod and its network are to be. */
const PASSING_KEYS: readonly string[] = ["prevresult", "cni.dev/valid-attachments"];
/** Keys that speak of one pod alone. */
const POD_KEYS: readonly string[] = [...PASSING_KEYS, "runtimeconfig", "args"];

type Asking = Pick<AttachRequest, "network" | "asked"> & { readonly id: Guid };

/**
 * Keeps what an ADD was asked for, for the attachment and for its network, so that both can be made again as they were: within the
 * transaction that records that the attachment stands, whichever process that is. A mode that the HNS network told is kept too: a
 * network that is gone tells none. The network's is written only where it is another one than before.
 */
export function rememberRequest(
  tx: StateTransaction,
  { config, machine }: Pick<Operation<NetworkConfig>, "config" | "machine">,
  { id, network, asked }: Asking,
): void {
  if (asked === undefined) return;
  const { program } = asked;
  const found = config.isModeFound === true ? config.mode : undefined;
  tx.putRequest({ id, config: pack(asked.config, PASSING_KEYS, found), program });
  const ofNetwork = { id: networkId(machine.nodeName, network), config: pack(asked.config, POD_KEYS, found), program };
  const known = tx.findRequest(ofNetwork.id);
  if (known?.config !== ofNetwork.config || known.program !== program) tx.putRequest(ofNetwork);
}

/** As rememberRequest, for an attachment that stood before: one that was learned from HNS, or made before requests were kept. */
export function rememberIfUnknown(
  tx: StateTransaction,
  operation: Pick<Operation<NetworkConfig>, "config" | "machine">,
  asking: Asking,
): void {
  if (asking.asked !== undefined && tx.findRequest(asking.id) === undefined) rememberRequest(tx, operation, asking);
}

function pack(raw: JsonObject, without: readonly string[], mode: string | undefined): string {
  const left = mode === undefined ? without : [...without, "mode"];
  const kept = Object.entries(raw).filter(([name]) => !left.includes(name.toLowerCase()));
  return JSON.stringify({ ...Object.fromEntries(kept), ...(mode !== undefined && { mode }) });
}

/**
 * The configuration of an attachment that stands, as its ADD had it, with the addresses that it has got: those of another IPAM plugin, and
 * those that HNS chose. Throws INVALID_CONFIG when this program no longer takes it; undefined where it is another plugin's.
 */
export function configOfAttachment(request: RequestRecord, attachment: Attachment): AttachableConfig | undefined {
  const raw = parseRaw(request);
  const names = [request.program];
  switch (findRole(raw, names)) {
    case "plugin":
      return normalise(raw, names).config;
    case "delegating":
      return resolveDelegated(normaliseDelegated(raw, names).config, parseStoredResult(attachment.result)).config;
    case "hns-addressed":
      return withAddresses(normaliseHnsAddressed(raw, names).config, attachment);
    case "ipam":
      return undefined;
  }
}

function withAddresses(config: HnsAddressedConfig, { result }: Attachment): HnsAddressedConfig {
  const addresses = parseStoredResult(result).ips.flatMap(({ address }) => findAddressWithPrefix(address) ?? []);
  return { ...config, hnsAddressed: { ...config.hnsAddressed, addresses } };
}

/** The configuration of a network; undefined where only an address of somebody else's would tell its range. Throws INVALID_CONFIG. */
export function configOfNetwork(request: RequestRecord): AttachableConfig | undefined {
  const raw = parseRaw(request);
  const names = [request.program];
  const role = findRole(raw, names);
  if (role === "hns-addressed") return normaliseHnsAddressed(raw, names).config;
  return role === "plugin" ? normalise(raw, names).config : undefined;
}

function parseRaw({ config }: RequestRecord): JsonObject {
  const raw: unknown = JSON.parse(config);
  if (isJsonObject(raw)) return raw;
  throw new PluginError("STATE_DAMAGED", { message: "state.db is damaged: a request is no JSON object", remedy: "move state.db aside" });
}
