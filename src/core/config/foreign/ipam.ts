import { findField, isJsonObject } from "../../cni/json.ts";
import { PRODUCT_TYPE } from "../our-names.ts";
import type { Draft, Place } from "./draft.ts";
import { addGatewayMode, type IpamTraits, type IpamWork } from "./gateway.ts";
import { translateHostLocal } from "./ipam-host-local.ts";
import { canStay, takeOver } from "./ipam-take-over.ts";
import { keepAs, translate, type Rule } from "./rules.ts";

/** The `ipam` section, in its three cases: ours, another plugin's that stays, and one that becomes ours. */
export function ipamSection(traits: IpamTraits): Rule {
  return translate("ipam", "see Addresses above", (place, draft) => translateIpam(place, traits, draft));
}

/** As `ipamSection`, for an object that a source implies or leaves out. */
export function translateIpam(place: Place, traits: IpamTraits, draft: Draft): void {
  const { path, value: ipam } = place;
  if (!isJsonObject(ipam)) {
    draft.fault(place, "must be an object", 'write such as {"type": "host-local", "subnet": "10.244.3.0/24"}');
    return;
  }
  const type = findField(ipam, "type") ?? "";
  if (typeof type !== "string") draft.fault({ path: `${path}.type`, value: type }, "must be a text", "write the IPAM plugin's file name");
  else if (type.toLowerCase() === PRODUCT_TYPE) keepAs("ipam", place, draft);
  else if (type === "host-local") translateHostLocal(path, ipam, { draft, traits });
  else if (type !== "" && canStay(type) && draft.options.ipam === "keep") keepDelegate(place, type, { draft, traits });
  else takeOver(path, ipam, { draft, traits });
}

function keepDelegate(place: Place, type: string, { draft, traits }: IpamWork): void {
  draft.set("ipam", place.value);
  draft.note(place.path, "kept", { to: "ipam", text: `${type} is asked as before; it gets the converted configuration on stdin` });
  const { cidr } = draft.options;
  if (cidr !== undefined) draft.add("subnet", cidr, "the range of --cidr");
  if (traits.isGatewayFromIpam) addGatewayMode(draft);
}
