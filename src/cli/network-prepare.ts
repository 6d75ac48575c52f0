import { findCidr } from "../core/base/ip.ts";
import { normaliseDelegated } from "../core/config/normalise.ts";
import type { AttachableConfig } from "../core/config/plugin-config.ts";
import { configForSubnets } from "../core/engine/delegated-config.ts";
import type { PrepareReport } from "../core/engine/prepare/options.ts";
import { prepareNetwork } from "../core/engine/prepare/prepare.ts";
import type { Uplink } from "../core/engine/prepare/uplink.ts";
import { toDocument } from "../core/topology/document.ts";
import { cleanText } from "../core/topology/text.ts";
import { readConfig } from "./config-file.ts";
import { readNumber } from "./ipam-state.ts";
import { findStateDir, readNetworkConfig, readNetworkPart, withEngine } from "./network-care.ts";
import { writeDocument, writeProgress } from "./output.ts";
import { CliError, type CliWorld, type ExitCode } from "./world.ts";

export interface PrepareArguments {
  readonly conf: string | undefined;
  readonly placeholder: boolean;
  readonly mode: "l2bridge" | "overlay" | undefined;
  readonly adapter: string | undefined;
  /** Seconds. */
  readonly timeout: number;
  readonly dryRun: boolean;
  readonly stateDir: string | undefined;
  readonly output: "text" | "json" | "yaml";
}

/** Exit code 1 when the node is connected and something of its uplink could not be given back. Throws CliError, and as the engine does. */
export async function prepare(world: CliWorld, args: PrepareArguments): Promise<ExitCode> {
  const timeoutMs = readNumber(args.timeout, "--timeout") * 1_000;
  const config = readWanted(world, args);
  const { stateDir, dryRun } = args;
  const file = world.openSnapshot(findStateDir(world, { stateDir, config }));
  const lock = dryRun ? undefined : file.lock();
  if (!dryRun && lock === undefined) {
    const next = "wait for its end; what it does is on its own standard error";
    throw new CliError("prepare is not started", { why: "another one is at work on this node", next });
  }
  let isInterrupted = false;
  const stop = world.onInterrupt(() => {
    if (!isInterrupted) tell(world, "interrupted: taking back what was begun; please wait");
    isInterrupted = true;
  });
  try {
    const report = await withEngine(world, { stateDir, config, mayMakeState: !dryRun }, (engine) =>
      prepareNetwork({
        engine,
        config,
        uplinks: world.openUplinks(),
        file,
        timeoutMs,
        dryRun,
        tell: (line) => tell(world, line),
        isInterrupted: () => isInterrupted,
      }),
    );
    return writeReport(world, report, args.output);
  } finally {
    stop();
    lock?.release();
  }
}

function tell(world: CliWorld, line: string): void {
  writeProgress(world, cleanText(line));
}

/** Throws CliError where the arguments say too little, or too much. */
function readWanted(world: CliWorld, { conf, placeholder, mode, adapter }: PrepareArguments): AttachableConfig {
  const named = adapter === undefined ? {} : { adapter };
  if (placeholder) return { ...buildPlaceholder(world, conf, mode), ...named };
  const next = "name a configuration with --conf, or make a placeholder with --placeholder";
  if (conf === undefined) throw new CliError("nothing is prepared", { why: "it is not said which network to make", next });
  if (mode !== undefined)
    throw new CliError("--mode cannot be used", { why: "the mode is that of the configuration", next: "leave it out" });
  return { ...readNetworkConfig(world, conf, undefined), ...named };
}

/** The name and range that Microsoft's, Calico's and others' scripts use: they all take one that stands as the sign that a switch is there. */
const PLACEHOLDER = { name: "External", subnet: "192.168.255.0/30", vsid: 9999 } as const;

/** Mode, adapter and state folder are those of the configuration, where one is given. */
function buildPlaceholder(world: CliWorld, conf: string | undefined, mode: PrepareArguments["mode"]): AttachableConfig {
  const given = conf === undefined ? undefined : readConfig(readNetworkPart(world, conf, undefined).part.config).config;
  const kind = mode ?? given?.mode ?? "l2bridge";
  const { name, vsid } = PLACEHOLDER;
  // No pod is ever on it: whoever gives addresses has no part, and a range that is too small for pods will do.
  const raw = { cniVersion: "1.1.0", type: "hns-cni", name, mode: kind, gatewayMode: "network", ipam: { type: "none" } };
  const { config } = normaliseDelegated(kind === "overlay" ? { ...raw, vsid } : raw);
  const subnet = findCidr(PLACEHOLDER.subnet);
  if (subnet === undefined) throw new Error(`no network: ${PLACEHOLDER.subnet}`);
  const { adapter, stateDir } = given ?? {};
  const own = { ...(adapter !== undefined && { adapter }), ...(stateDir !== undefined && { stateDir }) };
  return { ...configForSubnets(config, [subnet]), ...own };
}

function writeReport(world: CliWorld, report: PrepareReport, output: PrepareArguments["output"]): ExitCode {
  if (output === "text")
    world.writeOut(
      describeReport(report)
        .map((line) => `${cleanText(line)}\n`)
        .join(""),
    );
  else writeDocument(world, toDocument(report), output);
  return report.outcome === "incomplete" ? 1 : 0;
}

function describeReport(report: PrepareReport): string[] {
  const { outcome, network, adapter, restored, missing, changes, after } = report;
  if (outcome === "planned") return describePlan(report);
  const place = adapter === undefined ? "" : ` on "${adapter}"`;
  if (outcome === "standing") return [`${network}: stands${place} already, nothing to do`];
  const sum = outcome === "prepared" ? "the uplink is as it was" : "the node is connected, and its uplink is not wholly as it was";
  return [
    `${network}: the virtual switch${place} is there, and ${sum}`,
    ...(after === undefined ? [] : [`  ${describeUplink(after)}`]),
    ...restored.map((what) => `  restored ${what}`),
    ...missing.map((what) => `  missing ${what}: start prepare again, or give it back by hand`),
    ...changes.map((what) => `  changed: ${what}`),
  ];
}

function describePlan({ network, before, after, document, plan }: PrepareReport): string[] {
  return [
    ...(before === undefined ? [] : [`snapshot`, `  ${describeUplink(before)}`, ...describeDetails(before)]),
    ...(after === undefined ? [] : [`now`, `  ${describeUplink(after)}`, ...describeDetails(after)]),
    ...(document === undefined
      ? []
      : [
          `HNS document of ${network}`,
          ...JSON.stringify(document, null, 2)
            .split("\n")
            .map((line) => `  ${line}`),
        ]),
    "would be done",
    ...plan.map((step, index) => `  ${index + 1}. ${step}`),
  ];
}

function describeUplink({ name, mac, addresses }: Uplink): string {
  return `${name} (${mac}): ${addresses.map(({ address, origin }) => `${address} ${origin}`).join(", ") || "no address"}`;
}

function describeDetails({ routes, dns, mtu }: Uplink): string[] {
  return [
    ...routes.map(({ destination, nextHop, isPersistent }) => `  route ${destination} via ${nextHop}${isPersistent ? ", persistent" : ""}`),
    `  name servers ${dns.join(", ") || "none"}`,
    `  MTU ${mtu}`,
  ];
}
