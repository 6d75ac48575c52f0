import { findField, isJsonObject, type JsonObject } from "../../cni/json.ts";
import type { Draft, Place } from "./draft.ts";
import { commonKeys, type ForeignPlugin } from "./plugin.ts";
import { WIN_BRIDGE, WIN_OVERLAY } from "./reference-plugins.ts";
import { applyTable, decide, drop, translate, type Rule, type Table } from "./rules.ts";
import { SDN_PLUGINS } from "./sdn-plugins.ts";

const HOST_ENDPOINT = { isGatewayFromIpam: false } as const;

const SET_BY_FLANNEL = drop("flannel sets it in what it passes on");

/** What flannel puts into the delegate's configuration itself. */
const OVERRIDES: Table = {
  name: SET_BY_FLANNEL,
  cniVersion: SET_BY_FLANNEL,
  ipam: SET_BY_FLANNEL,
  type: translate("mode", "win-bridge and sdnbridge are l2bridge, win-overlay and sdnoverlay overlay", ({ path, value }, draft) => {
    draft.note(path, "translated", { to: "mode", text: `${String(value)} is ${findDelegate(value)?.mode ?? "unknown"}` });
  }),
};

/** The plugin that flannel passes the work to; win-bridge when the source does not say. */
function findDelegate(type: unknown): ForeignPlugin | undefined {
  if (type === undefined) return WIN_BRIDGE;
  const name = typeof type === "string" ? type.toLowerCase().replace(/\.exe$/, "") : "";
  return [WIN_BRIDGE, WIN_OVERLAY, ...SDN_PLUGINS].find(({ types }) => types.includes(name));
}

function delegateRule(): Rule {
  return translate("", "its keys stand beside the others; see the plugin that it names", (place, draft) => translateDelegate(place, draft));
}

function translateDelegate(place: Place, draft: Draft): void {
  if (!isJsonObject(place.value)) {
    draft.fault(place, "must be an object", 'write such as {"type": "win-bridge"}');
    return;
  }
  if (Object.keys(place.value).length === 0) draft.drop(place.path, "empty");
  const type = findField(place.value, "type");
  const plugin = findDelegate(type);
  if (plugin === undefined) {
    draft.fault(
      { path: `${place.path}.type`, value: type },
      "is no delegate for Windows",
      "write win-bridge, win-overlay, sdnbridge or sdnoverlay",
    );
    return;
  }
  applyTable(place.value, { path: place.path, keys: { ...plugin.keys, ...OVERRIDES } }, draft);
  if (draft.get("mode") === undefined) draft.set("mode", plugin.mode);
  plugin.finish?.(place.value, draft);
}

function needsNetwork(_source: JsonObject, draft: Draft): void {
  if ((draft.options.clusterCidrs ?? []).length > 0) return;
  draft.decide(
    draft.below("type"),
    "flannel excepts its whole network from masquerading (FLANNEL_NETWORK in subnet.env): name it with --cluster-cidr",
  );
}

/** Source: flannel-io/cni-plugin and the Windows manifests of flannel-io/flannel. */
export const FLANNEL: ForeignPlugin = {
  types: ["flannel"],
  about:
    "Of flannel-io/cni-plugin, with a `delegate` for Windows. The node's range is in subnet.env and not in the configuration: give FLANNEL_SUBNET with " +
    "`--cidr` and FLANNEL_NETWORK with `--cluster-cidr`. flanneld goes on making the network, its routes and tunnels.",
  mode: "l2bridge",
  ...HOST_ENDPOINT,
  impliedIpam: { type: "host-local" },
  keys: {
    ...commonKeys(HOST_ENDPOINT),
    delegate: delegateRule(),
    windowsDelegate: delegateRule(),
    subnetFile: drop("the range is in ipam"),
    dataDir: drop("what flannel passed on is not kept"),
    ipam: decide("flannel adds this to what it passes on: carry it over into ipam by hand"),
  },
  finish: needsNetwork,
};
