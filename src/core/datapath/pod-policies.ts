import type { Cidr, Family } from "../base/ip.ts";
import { MODE_FACTS } from "../config/modes.ts";
import type { AttachableConfig } from "../config/plugin-config.ts";
import type { PolicyDocument } from "../hcn/documents.ts";
import { type HnsVersion, supports } from "../hcn/features.ts";
import { composePolicies } from "../policy/compose-policies.ts";
import { buildEncapOverhead } from "../policy/encap-overhead.ts";
import { buildLoopbackDsr } from "../policy/loopback-dsr.ts";
import { buildOutboundNat } from "../policy/outbound-nat.ts";
import { buildPortMappingAcls, buildPortMappings } from "../policy/port-mapping.ts";
import { buildQos } from "../policy/qos.ts";
import { buildSdnRoutes } from "../policy/sdn-route.ts";
import type { SupportedPolicies } from "../policy/unsupported.ts";
import type { PolicyJudgement, PolicyPod } from "./datapath.ts";
import { composeOnNetwork, policyFacts, requireFaultless } from "./network-policies.ts";
import { familiesOf } from "./routes.ts";
import { listSubnets } from "./subnets.ts";
import type { Traits } from "./traits.ts";

/**
 * The policies of a pod's endpoint with the configuration's own among them. Where HNS chooses the addresses, those that need
 * them are added once they are known. Throws INVALID_CONFIG for what this HNS cannot apply.
 */
export function buildPodPolicies(traits: Traits, config: AttachableConfig, pod: PolicyPod): PolicyDocument[] {
  return requireFaultless(composeOnPod(traits, config, pod));
}

/** As far as it can be told before the pod has addresses: what is left out or refused depends on none. */
export function judgePolicies(traits: Traits, config: AttachableConfig, version: HnsVersion): PolicyJudgement {
  const pod = composeOnPod(traits, config, { addresses: [], version });
  const network = composeOnNetwork(traits, config, version);
  const { warnings } = buildQos(config.bandwidth ?? {});
  return { warnings: [...warnings, ...pod.warnings, ...network.warnings], faults: [...pod.faults, ...network.faults] };
}

export function composeOnPod(traits: Traits, config: AttachableConfig, pod: PolicyPod): SupportedPolicies {
  return composePolicies(listOwn(traits, config, pod), config.policies.endpoint, policyFacts(traits, pod.version));
}

/** Ours, in the order the reference plugins send them. */
function listOwn(traits: Traits, config: AttachableConfig, pod: PolicyPod): PolicyDocument[] {
  const own = traits.own?.podPolicies(pod.providerAddress) ?? [];
  const families = familiesOf(config, pod.addresses);
  const mappings = listPortMappings(config, families);
  const overhead = config.encapOverhead === undefined ? [] : [buildEncapOverhead(config.encapOverhead)];
  const rest = [...overhead, ...buildQos(config.bandwidth ?? {}).policies, ...own];
  if (!MODE_FACTS[traits.mode].hasSdnPolicies) return [...mappings, ...rest];
  const ofPod = (cidrs: readonly Cidr[]): Cidr[] => cidrs.filter((cidr) => families.has(cidr.address.family));
  return [
    ...buildOutboundNat(ofPod(listNatExceptions(config))),
    ...buildSdnRoutes(ofPod(config.serviceCidrs)),
    ...buildEncapRoutes(config, families),
    ...mappings,
    ...(hasLoopback(config, pod) ? buildLoopbackDsr(pod.addresses) : []),
    ...rest,
  ];
}

function listPortMappings(config: AttachableConfig, families: ReadonlySet<Family>): PolicyDocument[] {
  const { portMappings, localRoutedPortMapping: localRoutedVip, allowAclPortMapping } = config;
  const rules = allowAclPortMapping ? buildPortMappingAcls(portMappings) : [];
  return [...buildPortMappings(portMappings, { families: [...families], localRoutedVip }), ...rules];
}

function hasLoopback(config: AttachableConfig, { version }: PolicyPod): boolean {
  return config.loopbackDsr && supports(version, "loopbackDsr");
}

/** Traffic to these keeps the pod's address. */
function listNatExceptions(config: AttachableConfig): Cidr[] {
  return [
    ...config.clusterCidrs,
    ...config.serviceCidrs,
    ...(config.ipMasqNetwork === undefined ? [] : [config.ipMasqNetwork]),
    ...(config.ipMasq ? listSubnets(config).map(({ cidr }) => cidr) : []),
  ];
}

/** The configuration's own routes through the host's layer. */
function buildEncapRoutes(config: AttachableConfig, families: ReadonlySet<Family>): PolicyDocument[] {
  return config.additionalRoutes
    .filter(({ needEncap }) => needEncap)
    .flatMap(({ destination, nextHop }) =>
      buildSdnRoutes([destination], { families: [...families], ...(nextHop !== undefined && { nextHop }) }),
    );
}
