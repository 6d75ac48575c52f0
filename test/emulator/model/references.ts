import { HnsError, HRESULT } from "./hresult.ts";
import { listTexts } from "./json.ts";
import { normaliseId, type ListRecord, type World } from "./world.ts";

/** The ids of the endpoints a load balancer or route refers to. Both spellings count: an id, and the path version 1 writes. */
export function listReferences({ document }: ListRecord): string[] {
  return listTexts(document, "HostComputeEndpoints").map((reference) => normaliseId(reference.replace(/^\/endpoints\//i, "")));
}

/** Throws HAS_REFERENCES when a load balancer or route refers to one of the endpoints, unless the settings allow that. */
export function refuseReferenced(world: World, endpoints: readonly string[]): void {
  if (!world.settings.protectReferences) return;
  for (const record of [...world.loadBalancers.values(), ...world.sdnRoutes.values()]) {
    const held = listReferences(record).find((id) => endpoints.includes(id));
    if (held !== undefined) throw new HnsError(HRESULT.HAS_REFERENCES, `${record.id} refers to ${held}`);
  }
}
