import { formatGuid } from "../base/ids.ts";
import { MODE_FACTS } from "../config/modes.ts";
import type { AttachableConfig } from "../config/plugin-config.ts";
import { SCHEMA_V2 } from "../hcn/documents.ts";
import { formatHnsVersion, type HnsVersion, supports } from "../hcn/features.ts";
import type { Datapath, Unsupported } from "./datapath.ts";
import { buildIpConfigurations, buildPodEndpoint } from "./endpoint-document.ts";
import { buildPodPolicies, composeOnPod, judgePolicies } from "./pod-policies.ts";
import { buildNetwork, compareNetwork, subnetGateway } from "./network-document.ts";
import { familiesOf, gatewayModeOf, HOST_ENDPOINT, podGateway, podRoutes } from "./routes.ts";
import { findPrefix, findSubnet, listSubnets, offsetAddress } from "./subnets.ts";
import type { Traits } from "./traits.ts";

export function buildDatapath(traits: Traits): Datapath {
  const { mode, type, own, canUseDhcp } = traits;
  const hostEndpointAddresses: Datapath["hostEndpointAddresses"] = (config) => {
    if (gatewayModeOf(traits, config) !== "host-endpoint") return [];
    return listSubnets(config).map((subnet) => offsetAddress(subnet, HOST_ENDPOINT));
  };
  return {
    mode,
    type,
    isExternal: traits.isExternal,
    needs: { providerAddress: own !== undefined, hostRoute: own !== undefined, subnet: !canUseDhcp },
    gatewayMode: (config) => gatewayModeOf(traits, config),
    findUnsupported: (config, version) => findUnsupported(traits, config, version),
    buildNetwork: (config, version) => buildNetwork(traits, config, version),
    judgePolicies: (config, version) => judgePolicies(traits, config, version),
    compareNetwork: (network, config) => compareNetwork(traits, network, config),
    networkGateway: (config, address) => {
      const subnet = findSubnet(config, address);
      return subnet === undefined ? undefined : subnetGateway(traits, subnet);
    },
    hostEndpointAddresses,
    // It has no route of its own: the host's table is used.
    buildHostEndpoint: (config, name, network) => ({
      SchemaVersion: SCHEMA_V2,
      Name: name,
      HostComputeNetwork: formatGuid(network),
      IpConfigurations: buildIpConfigurations(config, hostEndpointAddresses(config)),
    }),
    podGateway: (config, address) => podGateway(traits, config, address),
    sourceVips: (config) => own?.sourceVips(config) ?? [],
    podPrefix: findPrefix,
    podRoutes: (config, addresses) => podRoutes(traits, config, addresses),
    buildPodEndpoint: (config, pod) => buildPodEndpoint(traits, config, pod),
    buildPodPolicies: (config, pod) => buildPodPolicies(traits, config, pod),
    listPodPolicies: (config, pod) => composeOnPod(traits, config, pod).policies,
  };
}

function findUnsupported(traits: Traits, config: AttachableConfig, version: HnsVersion): Unsupported | undefined {
  return (
    findUnsupportedFamily(traits, config, version) ??
    findUnsupportedGateway(traits, config) ??
    findUnsupportedPolicy(traits, config) ??
    findUnsupportedRoute(traits, config, version) ??
    traits.own?.findUnsupported(config, version)
  );
}

function findUnsupportedFamily({ mode, families }: Traits, config: AttachableConfig, version: HnsVersion): Unsupported | undefined {
  const subnet = listSubnets(config).find(({ cidr }) => cidr.address.family === 6);
  if (subnet === undefined) return undefined;
  const field = "ipam" in config && config.delegated === undefined ? "ipam" : "subnet";
  const remedy = "leave the IPv6 range out";
  if (!families.includes(6)) return { field, problem: `an IPv6 range, and HNS carries IPv4 alone on networks of mode ${mode}`, remedy };
  if (supports(version, "dualStack")) return undefined;
  const problem = `an IPv6 range, and HNS ${formatHnsVersion(version)} has no IPv6`;
  return { field, problem, remedy: `${remedy}, or use Windows Server 2022 or later (HNS 11.10)` };
}

function findUnsupportedGateway(traits: Traits, config: AttachableConfig): Unsupported | undefined {
  const { mode } = traits;
  const { canHaveHostEndpoint } = MODE_FACTS[mode];
  if (gatewayModeOf(traits, config) !== "host-endpoint" || canHaveHostEndpoint) return undefined;
  const remedy = 'set gatewayMode to "network", "ipam" or "none", or leave it out';
  return { field: "gatewayMode", problem: `host-endpoint, and a network of mode ${mode} has none`, remedy };
}

/** Older versions of HNS have no routes to single addresses. */
function findUnsupportedRoute({ mode }: Traits, config: AttachableConfig, version: HnsVersion): Unsupported | undefined {
  if (!MODE_FACTS[mode].hasSdnPolicies || supports(version, "slash32EndpointPrefixes")) return undefined;
  const index = config.additionalRoutes.findIndex(({ needEncap, destination }) => needEncap && destination.prefix === 32);
  if (index < 0) return undefined;
  const problem = `a single address, and HNS ${formatHnsVersion(version)} has no routes to one through the host's layer`;
  return { field: `additionalRoutes[${index}].destination`, problem, remedy: "write a network of at most 31 prefix bits" };
}

function findUnsupportedPolicy({ mode, hasPortMappings }: Traits, config: AttachableConfig): Unsupported | undefined {
  if (config.portMappings.length > 0 && !hasPortMappings) {
    const remedy = "take hostPort out of the pod, or the capability portMappings out of the configuration";
    return { field: "runtimeConfig.portMappings", problem: `a port mapping, which HNS refuses on networks of mode ${mode}`, remedy };
  }
  const unreachable = config.portMappings.find(({ hostIp }) => hostIp !== undefined && !familiesOf(config, []).has(hostIp.family));
  if (unreachable !== undefined) {
    const problem = `an IPv${unreachable.hostIp?.family ?? 4} address of the node, and pods have none of its family`;
    return { field: `hostIP of port ${unreachable.hostPort}`, problem, remedy: "name an address of a family that pods have, or none" };
  }
  const index = config.additionalRoutes.findIndex(({ needEncap }) => needEncap);
  if (index < 0 || MODE_FACTS[mode].hasSdnPolicies) return undefined;
  const problem = `a route through the host's layer, which networks of mode ${mode} do not have`;
  return { field: `additionalRoutes[${index}].needEncap`, problem, remedy: "leave it out and name a nextHop" };
}
