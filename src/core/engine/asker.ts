import type { Guid } from "../base/ids.ts";
import type { PluginConfig } from "../config/plugin-config.ts";
import type { Asker } from "../ipam/assign.ts";
import { podKey } from "../ipam/store.ts";
import type { AttachmentKey } from "./attachment.ts";

/** A name as the pods of a StatefulSet have it; the pod that follows one has the same. */
const ORDINAL = /-(0|[1-9]\d*)$/;

/** Who asks for addresses in an ADD: the attachment with what the runtime tells of its pod. */
export function askerOf(
  config: PluginConfig,
  { containerId, ifname, id }: Pick<AttachmentKey, "containerId" | "ifname"> & { id: Guid },
): Asker {
  const { sticky: mode = "never" } = config.ipam;
  const pod = config.request?.pod;
  const isSticky = pod !== undefined && (mode === "always" || (mode === "statefulset" && ORDINAL.test(pod.name)));
  const owner = { id, holder: { containerId, ifname, ...(pod !== undefined && { pod }), isSticky } };
  return isSticky ? { owner, sticky: { pod: podKey(pod), ifname, isWaiting: mode === "always" } } : { owner };
}
