import { formatCidr } from "../core/base/ip.ts";
import { PLUGIN_KEY_TEXTS } from "../core/config/generated/plugin-keys.ts";
import { PRODUCT_TYPE } from "../core/config/our-names.ts";
import { findFileFaults, parseConfFile } from "./config-file.ts";
import { type Layout, LAYOUTS, type LayoutName } from "./config-layouts.ts";
import { formatFaults } from "./config-view.ts";
import { readCidr } from "./ipam-state.ts";
import { writeDocument } from "./output.ts";
import { CliError, type CliWorld, type ExitCode } from "./world.ts";

export const LAYOUT_NAMES = Object.keys(LAYOUTS) as LayoutName[];

export interface GenerateArguments {
  readonly mode: string;
  readonly layout: LayoutName;
  readonly cidr: string | undefined;
  readonly name: string | undefined;
  readonly adapter: string | undefined;
  readonly clusterCidrs: readonly string[];
  readonly serviceCidrs: readonly string[];
  readonly nameservers: readonly string[];
  readonly output: "json" | "yaml";
}

/** The range of the documentation's examples. */
const EXAMPLE_CIDR = "10.244.3.0/24";
const EXAMPLE_CLUSTER = ["10.244.0.0/16"];

/** Modes in which pods are on the node's own layer 2 segment, and a layout's gateway is theirs. */
const SHARED_SEGMENT = ["l2bridge", "l2tunnel"];

/** Prints a list that this version of the plugin accepts, and says on stderr where it belongs. Throws CliError for a mode that it does not have. */
export function generateConfig(world: CliWorld, request: GenerateArguments): ExitCode {
  const modes = listChoices("mode");
  if (!modes.includes(request.mode)) {
    const next = `this version has ${modes.join(", ")}`;
    throw new CliError(`cannot generate a configuration for mode "${request.mode}"`, { why: "the plugin does not have this mode", next });
  }
  const layout: Layout = LAYOUTS[request.layout];
  const document = buildList(request, layout);
  const faults = findFileFaults(parseConfFile(JSON.stringify(document), "the configuration"));
  if (faults.length > 0) {
    world.writeError(formatFaults("the configuration", faults));
    return 1;
  }
  writeDocument(world, document, request.output);
  world.writeError(describeUse(request, layout));
  return 0;
}

function buildList(request: GenerateArguments, layout: Layout): object {
  const { name = layout.name } = request;
  return { cniVersion: "1.1.0", name, plugins: [buildPlugin(request, layout)] };
}

function buildPlugin({ mode, ...request }: GenerateArguments, layout: Layout): object {
  const cidr = request.cidr === undefined ? EXAMPLE_CIDR : formatCidr(readCidr(request.cidr, "--cidr"));
  const isShared = SHARED_SEGMENT.includes(mode);
  return {
    type: PRODUCT_TYPE,
    mode,
    ...(request.adapter !== undefined && { adapter: request.adapter }),
    clusterCidrs: clusterRanges(request.clusterCidrs, request.cidr === undefined ? undefined : cidr),
    serviceCidrs: request.serviceCidrs.length > 0 ? request.serviceCidrs : layout.serviceCidrs,
    ...(isShared && layout.gatewayMode !== undefined && { gatewayMode: layout.gatewayMode }),
    ...(layout.policies !== undefined && hasKey("policies") && { policies: layout.policies }),
    dns: {
      nameservers: request.nameservers.length > 0 ? request.nameservers : layout.nameservers,
      search: ["svc.cluster.local", "cluster.local"],
    },
    capabilities: { portMappings: true, dns: true },
    ipam: { type: PRODUCT_TYPE, cidr },
  };
}

/** Without the cluster's ranges the node's own is all that is known of them. */
function clusterRanges(given: readonly string[], cidr: string | undefined): readonly string[] {
  if (given.length > 0) return given;
  return cidr === undefined ? EXAMPLE_CLUSTER : [cidr];
}

function describeUse({ cidr, clusterCidrs, serviceCidrs, nameservers }: GenerateArguments, layout: Layout): string {
  const assumed = [
    ...(cidr === undefined ? ["--cidr"] : []),
    ...(clusterCidrs.length === 0 ? ["--cluster-cidr"] : []),
    ...(serviceCidrs.length === 0 ? ["--service-cidr"] : []),
    ...(nameservers.length === 0 ? ["--nameserver"] : []),
  ];
  const lines = [
    ...(assumed.length === 0 ? [] : [`look at the values that were not given: ${assumed.join(", ")}`]),
    ...(layout.policies !== undefined && !hasKey("policies")
      ? ["without the layout's ACL for 168.63.129.16: this version has no key policies"]
      : []),
    `write it as ${layout.file}.tmp, then rename it; hns-cni.exe belongs into ${layout.binaries}`,
  ];
  return lines.map((line) => `hns-cni: ${line}\n`).join("");
}

function hasKey(path: string): boolean {
  return PLUGIN_KEY_TEXTS.some((key) => key.path === path);
}

/** The values that the schema allows. */
function listChoices(path: string): string[] {
  const choices = PLUGIN_KEY_TEXTS.find((key) => key.path === path)?.choices ?? [];
  return choices.filter((choice) => typeof choice === "string");
}
