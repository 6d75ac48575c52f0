import { formatGuid, type Guid } from "../base/ids.ts";
import type { PolicyDocument } from "../hcn/documents.ts";

/** An adapter of the node by any of its names; at least one. */
export type InterfaceConstraint =
  | { readonly guid: Guid }
  | { readonly index: number }
  /** The name Windows shows. */
  | { readonly alias: string }
  | { readonly description: string };

/**
 * Holds an endpoint or a network to one adapter of the node.
 * Source: `{"Type":"InterfaceConstraint","Settings":{"InterfaceAlias":"Ethernet 2"}}` of the HCN schema.
 */
export function buildInterfaceConstraint(constraint: InterfaceConstraint): PolicyDocument {
  return { Type: "InterfaceConstraint", Settings: settingsOf(constraint) };
}

function settingsOf(constraint: InterfaceConstraint): object {
  if ("guid" in constraint) return { InterfaceGuid: formatGuid(constraint.guid) };
  if ("index" in constraint) return { InterfaceIndex: constraint.index };
  if ("alias" in constraint) return { InterfaceAlias: constraint.alias };
  return { InterfaceDescription: constraint.description };
}
