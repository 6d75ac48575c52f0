import { PluginError } from "../base/errors.ts";
import { formatCidr } from "../base/ip.ts";
import type { IpamConfig, PoolConfig } from "./plugin-config.ts";

export type Labels = Readonly<Record<string, string>>;

/** The labels that every Windows node has, whoever made the node object, with those of the configuration over them. */
export function nodeLabels(node: { readonly nodeName: string; readonly architecture: string }, own: Labels = {}): Labels {
  return {
    "kubernetes.io/hostname": node.nodeName.toLowerCase(),
    "kubernetes.io/os": "windows",
    "kubernetes.io/arch": node.architecture,
    ...own,
  };
}

/** The pools for a node with these labels. Throws INVALID_CONFIG when there are none. */
export function poolsForNode(pools: IpamConfig["pools"], labels: Labels): IpamConfig["pools"] {
  const [first, ...others] = pools.filter(({ nodeSelector = {} }) =>
    Object.entries(nodeSelector).every(([key, value]) => labels[key] === value),
  );
  if (first !== undefined) return [first, ...others];
  const has = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const message = `no entry of ipam.pools is for this node, whose labels are ${has.join(", ")}`;
  const remedy = "correct a nodeSelector, name the node's labels in ipam.nodeLabels, or add a pool without nodeSelector";
  throw new PluginError("INVALID_CONFIG", { message, remedy, field: "ipam.pools" });
}

/**
 * The pools that serve a pod of the namespace, one list for each address that it gets, each in the order written: those that name the
 * namespace, if there are such in the set, else those for everybody. Throws INVALID_CONFIG when no pool serves it.
 */
export function selectPools(pools: readonly PoolConfig[], namespace: string | undefined): PoolConfig[][] {
  const sets = [...Map.groupBy(pools, ({ set, cidr }) => (set === undefined ? `family ${cidr.address.family}` : `set ${set}`)).values()];
  const chosen = sets.map((set) => {
    const named = set.filter(({ namespaces }) => namespace !== undefined && namespaces?.includes(namespace) === true);
    return named.length > 0 ? named : set.filter(({ namespaces }) => namespaces === undefined);
  });
  const serving = chosen.filter((set) => set.length > 0);
  if (serving.length > 0) return serving;
  const who = namespace === undefined ? "a pod whose namespace the runtime does not tell" : `pods of the namespace ${namespace}`;
  const message = `no pool serves ${who}: ${pools.map(({ cidr }) => formatCidr(cidr)).join(", ")} are for other namespaces`;
  const remedy = "name the namespace in a pool, or add a pool without namespaces";
  throw new PluginError("INVALID_CONFIG", { message, remedy, field: "ipam.pools" });
}
