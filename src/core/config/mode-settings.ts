import { findMac } from "../base/ids.ts";
import { findCidr, findIp } from "../base/ip.ts";
import { findModeFacts } from "./modes.ts";
import type { AdditionalRoute, GatewayMode, Mode, NetworkConfig } from "./plugin-config.ts";

export const DEFAULT_VSID = 4096;
export const DEFAULT_VXLAN_PORT = 4789;
const DEFAULT_MAC_PREFIX = "0E-2A";

/** What of a document concerns the network's mode, once the schema and findModeFaults have vouched for it. */
export interface ModeDocument {
  readonly mode?: Mode;
  readonly gatewayMode?: GatewayMode;
  readonly loopbackDSR: boolean;
  readonly vsid?: number;
  readonly vxlanPort?: number;
  readonly endpointMacPrefix?: string;
  readonly encapOverhead?: number;
  readonly additionalRoutes: readonly { readonly destination: string; readonly nextHop?: string; readonly needEncap: boolean }[];
  readonly ipMasq: boolean;
  readonly ipMasqNetwork?: string;
  readonly optionalFlags: {
    readonly forceBridgeGateway?: boolean;
    readonly gatewayFromAdditionalRoutes?: boolean;
    readonly loopbackDSR?: boolean;
    readonly localRoutedPortMapping: boolean;
    readonly allowAclPortMapping: boolean;
  };
}

type ModeSettings = Pick<
  NetworkConfig,
  | "mode"
  | "gatewayMode"
  | "loopbackDsr"
  | "vsid"
  | "vxlanPort"
  | "endpointMacPrefix"
  | "encapOverhead"
  | "additionalRoutes"
  | "ipMasq"
  | "ipMasqNetwork"
  | "mac"
  | "localRoutedPortMapping"
  | "allowAclPortMapping"
>;

export function buildModeSettings(document: ModeDocument, mac: string | undefined): ModeSettings {
  const { encapOverhead, ipMasq, optionalFlags } = document;
  return {
    ...buildGatewaySettings(document),
    loopbackDsr: optionalFlags.loopbackDSR ?? document.loopbackDSR,
    ...optional("vsid", document.vsid ?? defaultOf(document, DEFAULT_VSID)),
    ...optional("vxlanPort", document.vxlanPort ?? defaultOf(document, DEFAULT_VXLAN_PORT)),
    endpointMacPrefix: (document.endpointMacPrefix ?? DEFAULT_MAC_PREFIX).replace(":", "-").toUpperCase(),
    ...(encapOverhead === undefined ? {} : { encapOverhead }),
    additionalRoutes: document.additionalRoutes.flatMap(readRoute),
    ipMasq,
    localRoutedPortMapping: optionalFlags.localRoutedPortMapping,
    allowAclPortMapping: optionalFlags.allowAclPortMapping,
    ...optional("ipMasqNetwork", findCidr(document.ipMasqNetwork ?? "")),
    ...optional("mac", findMac(mac ?? "")),
  };
}

/** Whose network it is where no mode is named is not for us to say: then what it has is as wanted. */
function defaultOf({ mode }: ModeDocument, value: number): number | undefined {
  return mode === undefined ? undefined : value;
}

function buildGatewaySettings(document: ModeDocument): Pick<ModeSettings, "mode" | "gatewayMode"> {
  const { mode } = document;
  const gatewayMode = readGatewayMode(document) ?? findModeFacts(mode)?.gatewayMode;
  return { ...optional("mode", mode), ...optional("gatewayMode", gatewayMode) };
}

function optional<K extends keyof ModeSettings>(key: K, value: ModeSettings[K] | undefined): Partial<Pick<ModeSettings, K>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Pick<ModeSettings, K>>); // TypeScript widens computed keys
}

/** The choice of the configuration, in our words or in sdnbridge's; undefined when it makes none. */
export function readGatewayMode(
  document: Pick<ModeDocument, "gatewayMode"> & { optionalFlags?: Partial<ModeDocument["optionalFlags"]> },
): GatewayMode | undefined {
  const { gatewayMode, optionalFlags } = document;
  if (gatewayMode !== undefined) return gatewayMode;
  if (optionalFlags?.gatewayFromAdditionalRoutes === true) return "none";
  return optionalFlags?.forceBridgeGateway === true ? "host-endpoint" : undefined;
}

function readRoute({ destination, nextHop, needEncap }: ModeDocument["additionalRoutes"][number]): AdditionalRoute[] {
  const cidr = findCidr(destination);
  const hop = findIp(nextHop ?? "");
  return cidr === undefined ? [] : [{ destination: cidr, ...(hop === undefined ? {} : { nextHop: hop }), needEncap }];
}
