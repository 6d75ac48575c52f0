import { HnsError, HRESULT } from "./hresult.ts";
import { findFlag, findText, parseObject, type JsonObject } from "./json.ts";
import type { World } from "./world.ts";

/**
 * What the emulated machine does outside HNS, for programs on Linux that have no Windows to ask:
 * `{"op":"identity"}` gives `{bootId, hnsStart}`; `{"op":"set-forwarding","address","enabled"}` sets forwarding on the interface of
 * the host-attached endpoint with that address, ELEMENT_NOT_FOUND when there is none.
 */
export function doHostCall(world: World, text: string): JsonObject {
  const request = parseObject(text);
  switch (findText(request, "op")) {
    case "identity":
      return { bootId: world.bootId, hnsStart: world.hnsStart };
    case "set-forwarding":
      setForwarding(world, findText(request, "address") ?? "", findFlag(request, "enabled") ?? true);
      return {};
    default:
      throw new HnsError(HRESULT.INVALID_ARGUMENT, "op");
  }
}

function setForwarding(world: World, address: string, enabled: boolean): void {
  for (const endpoint of world.endpoints.values()) {
    if (endpoint.hostCompartment === null || !endpoint.addresses.some((own) => own.address === address)) continue;
    endpoint.forwarding = enabled;
    return;
  }
  throw new HnsError(HRESULT.ELEMENT_NOT_FOUND, address);
}
