import type { JsonObject } from "../../cni/json.ts";
import type { Mode } from "../plugin-config.ts";
import type { Draft } from "./draft.ts";
import type { IpamTraits } from "./gateway.ts";
import { ipamSection } from "./ipam.ts";
import { drop, keep, keepBelow, translate, within, type Table } from "./rules.ts";
import { PRODUCT_TYPE } from "../our-names.ts";

/** The kinds of HNS networks that a conversion can ask for; whether this build has them, its schema says. */
export type ForeignMode = Mode | "overlay" | "nat" | "transparent" | "l2tunnel";

/** Another plugin whose configurations can be converted. */
export interface ForeignPlugin extends IpamTraits {
  /** Its file names without .exe, in lower case; the first is its name. */
  readonly types: readonly [string, ...string[]];
  /** One or two sentences for docs/drop-in.md. */
  readonly about: string;
  readonly mode: ForeignMode;
  readonly keys: Table;
  /** The IPAM section that the plugin makes up itself. */
  readonly impliedIpam?: JsonObject;
  /** What depends on several keys. Runs after all of them. */
  readonly finish?: (source: JsonObject, draft: Draft) => void;
}

/** What the plugins do with `dns`; `search` is the remark on the search list. */
export function dnsSection(search = ""): Table {
  return {
    nameservers: keepBelow("dns", "nameservers"),
    domain: keepBelow("dns", "domain"),
    search: keepBelow("dns", "search", search),
    options: keepBelow("dns", "options"),
  };
}

/** The keys that all plugins share. */
export function commonKeys(traits: IpamTraits): Table {
  return {
    cniVersion: keep("cniVersion"),
    name: keep("name", "the HNS network of this name is used when it is there"),
    type: translate("type", `becomes ${PRODUCT_TYPE}`, ({ path }, draft) =>
      draft.put(path, "translated", { to: "type", value: PRODUCT_TYPE, text: `becomes ${PRODUCT_TYPE}` }),
    ),
    capabilities: keep("capabilities"),
    dns: within("dns", dnsSection()),
    ipam: ipamSection(traits),
    runtimeConfig: drop("the runtime passes it with each call"),
    prevResult: drop("the runtime passes it with each call"),
    args: drop("the runtime passes it with each call"),
  };
}
