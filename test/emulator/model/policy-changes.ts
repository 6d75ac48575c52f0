import { HnsError, HRESULT } from "./hresult.ts";
import { findObject, findText, type JsonObject } from "./json.ts";
import { samePolicy } from "./policies.ts";

/** Policies of which there is one for each value of a field: changes go to that one and leave its siblings alone. */
const KEYS: Readonly<Record<string, string>> = { SetPolicy: "Id", RemoteSubnetRoute: "DestinationPrefix" };

/**
 * Applies Add, Remove or Update to a list of policies. Add refuses a second one with the same key. Update replaces the policy with the
 * same key, or all of the type where there is no key. Remove takes away what equals what is given; a set is known by its id alone.
 */
export function changePolicies(current: JsonObject[], requestType: string, given: JsonObject[]): JsonObject[] {
  switch (requestType) {
    case "Add":
      refuseKnown(current, given);
      return [...current, ...given];
    case "Remove":
      return current.filter((policy) => !given.some((other) => isMeant(policy, other)));
    case "Update":
      return [...current.filter((policy) => !given.some((other) => replaces(other, policy))), ...given];
    default:
      throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, "RequestType");
  }
}

function refuseKnown(current: readonly JsonObject[], given: readonly JsonObject[]): void {
  for (const policy of given) {
    const key = keyOf(policy);
    if (key !== undefined && current.some((other) => keyOf(other) === key)) throw new HnsError(HRESULT.POLICY_ALREADY_EXISTS, key);
  }
}

function isMeant(policy: JsonObject, given: JsonObject): boolean {
  return samePolicy(policy, given) || (policy["Type"] === "SetPolicy" && keyOf(policy) === keyOf(given));
}

function replaces(given: JsonObject, policy: JsonObject): boolean {
  return given["Type"] === policy["Type"] && keyOf(given) === keyOf(policy);
}

function keyOf(policy: JsonObject): string | undefined {
  const type = findText(policy, "Type") ?? "";
  const field = KEYS[type];
  return field === undefined ? undefined : `${type}/${findText(findObject(policy, "Settings") ?? {}, field) ?? ""}`;
}
