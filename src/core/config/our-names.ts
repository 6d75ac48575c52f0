import { findField, isJsonObject, type JsonObject } from "../cni/json.ts";
import { leavesAddressesToHns } from "./mode-faults.ts";

/** The type by which configurations call this program. */
export const PRODUCT_TYPE = "hns-cni";

/** Every name that means this program: the product's, and the file name it was started by, without .exe. */
export type OurNames = readonly string[];

/** Whether `type` calls this program. Windows does not tell cases of file names apart. */
export function isOurType(type: unknown, names: OurNames): boolean {
  if (typeof type !== "string") return false;
  const wanted = type.toLowerCase().replace(/\.exe$/, "");
  return [PRODUCT_TYPE, ...names].some((name) => name.toLowerCase() === wanted);
}

/**
 * What this program is to do in a call. "ipam": another plugin asks it for addresses. "delegating": it is the plugin, and another
 * program gives the addresses. "hns-addressed": it is the plugin, and HNS chooses the addresses. "plugin": it is both.
 */
export type Role = "plugin" | "ipam" | "delegating" | "hns-addressed";

/** A configuration without a usable `ipam.type` is the plugin's own, whose faults are then told. */
export function findRole(raw: JsonObject, names: OurNames): Role {
  const type = findField(raw, "type");
  const ipamType = findIpamType(raw);
  if (ipamType === undefined) return leavesAddressesToHns({ ipam: findField(raw, "ipam") }) ? "hns-addressed" : "plugin";
  if (!isOurType(ipamType, names)) return "delegating";
  return typeof type !== "string" || type === "" || isOurType(type, names) ? "plugin" : "ipam";
}

/** `ipam.type` where it is a text that is not empty. */
export function findIpamType(raw: JsonObject): string | undefined {
  const ipam = findField(raw, "ipam");
  const type = isJsonObject(ipam) ? findField(ipam, "type") : undefined;
  return typeof type === "string" && type !== "" ? type : undefined;
}
