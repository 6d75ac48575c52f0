/** win-bridge and win-overlay with host-local, as their projects publish them, under Wine against the emulator. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EmulatorClient } from "../emulator/client.ts";
import { runUnderWine, type WineMachine } from "../support/wine.ts";
import { findPeers } from "./build.ts";
import { toWindowsPath } from "./runtime-host.ts";

export const NETWORK = "l2";
/** The namespace that stands for "a container of the version 1 kind". */
const V1_NAMESPACE = "none";

export type RivalName = "win-bridge" | "win-overlay";

/** Which plugin, and by which of HNS's two interfaces: 2 is HCN, 1 HNSCall. */
export interface RivalKind {
  readonly name: RivalName;
  readonly apiVersion: 1 | 2;
}

export interface RivalPod {
  readonly containerId: string;
  readonly netns: string;
}

export type RivalCommand = "ADD" | "CHECK" | "DEL" | "GC" | "STATUS";

export interface RivalCall {
  readonly exe: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
}

export interface RivalResult {
  readonly code: number | null;
  /** What it printed: a result, an error object, or nothing. */
  readonly output: unknown;
}

interface AddressRange {
  readonly subnet: string;
  readonly rangeStart?: string;
  readonly rangeEnd?: string;
}

/** One plugin on a fresh node whose HNS has the network that it needs. */
export class Rival {
  readonly kind: RivalKind;
  readonly emulator: EmulatorClient;
  readonly #machine: WineMachine;
  readonly #dataDir = mkdtempSync(join(tmpdir(), "hns-cni-host-local-"));
  /** host-local's ranges: `.1` and `.2` are left to the gateways. */
  ranges: readonly AddressRange[] = [{ subnet: "10.244.0.0/24", rangeStart: "10.244.0.3" }];

  constructor(kind: RivalKind, { machine, emulator }: { machine: WineMachine; emulator: EmulatorClient }) {
    this.kind = kind;
    this.#machine = machine;
    this.emulator = emulator;
  }

  /** The network that an administrator or another agent makes first; neither plugin makes one. */
  async makeNetwork(): Promise<string> {
    const subnet = { IpAddressPrefix: "10.244.0.0/24", Routes: [{ NextHop: "10.244.0.1", DestinationPrefix: "0.0.0.0/0" }] };
    const isOverlay = this.kind.name === "win-overlay";
    const policies = isOverlay ? { Policies: [{ Type: "VSID", Settings: { Type: "VSID", IsolationId: 4096 } }] } : {};
    const ipams = [{ Type: "Static", Subnets: [{ ...subnet, ...policies }] }];
    const { ID } = await this.emulator.createNetwork({ Name: NETWORK, Type: isOverlay ? "Overlay" : "L2Bridge", Ipams: ipams });
    return ID;
  }

  async makePod(): Promise<RivalPod> {
    const netns = this.kind.apiVersion === 2 ? await this.emulator.createNamespace() : V1_NAMESPACE;
    return { containerId: randomBytes(32).toString("hex"), netns };
  }

  /** Runs the plugin once; the emulator's call log then holds this call's alone. */
  async run(command: RivalCommand, pod?: RivalPod): Promise<RivalResult> {
    await this.emulator.clearCalls();
    const { code, stdout } = await runUnderWine(this.#machine, this.buildCall(command, pod));
    return { code, output: stdout.trim() === "" ? undefined : JSON.parse(stdout) };
  }

  /** What a run needs: the program's Linux path, its variables and its input. */
  buildCall(command: RivalCommand, pod?: RivalPod): RivalCall {
    const folder = findPeers().windows;
    const podVariables = pod === undefined ? {} : { CNI_CONTAINERID: pod.containerId, CNI_NETNS: pod.netns, CNI_IFNAME: "eth0" };
    return {
      exe: join(folder, `${this.kind.name}.exe`),
      env: {
        HNS_EMULATOR_ADDRESS: this.emulator.address,
        CNI_COMMAND: command,
        CNI_PATH: toWindowsPath(folder),
        // Without IgnoreUnknown host-local refuses the pod's names.
        CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web",
        ...podVariables,
      },
      stdin: JSON.stringify(this.#buildConf()),
    };
  }

  /** The names of the last call's exports, in order. */
  async sequence(): Promise<string[]> {
    return (await this.emulator.calls()).map(({ name, args }) =>
      name === "HNSCall" ? `${args[0] ?? ""} ${withoutId(args[1] ?? "")}` : name,
    );
  }

  /** The addresses that host-local has given out. */
  heldAddresses(): string[] {
    const folder = join(this.#dataDir, NETWORK);
    if (!existsSync(folder)) return [];
    // A colon cannot be part of a file's name on Windows.
    const names = readdirSync(folder).map((name) => name.replaceAll("_", ":"));
    return names.filter((name) => isIP(name) !== 0).sort();
  }

  close(): void {
    rmSync(this.#dataDir, { recursive: true, force: true });
  }

  #buildConf(): object {
    const { name, apiVersion } = this.kind;
    const policies = apiVersion === 2 ? policiesV2 : policiesV1;
    return {
      cniVersion: "1.1.0",
      name: NETWORK,
      type: name,
      ...(apiVersion === 2 ? { apiVersion } : {}),
      policies: policies.map((value) => ({ name: "EndpointPolicy", value })),
      dns: { nameservers: ["10.96.0.10"], search: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"] },
      capabilities: { portMappings: true },
      runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }] },
      ipam: { type: "host-local", dataDir: toWindowsPath(this.#dataDir), ranges: this.ranges.map((range) => [range]) },
    };
  }
}

const policiesV2 = [
  { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16", "10.96.0.0/12"] } },
  { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NeedEncap: true } },
];
const policiesV1 = [
  { Type: "OutBoundNAT", ExceptionList: ["10.244.0.0/16", "10.96.0.0/12"] },
  { Type: "ROUTE", DestinationPrefix: "10.96.0.0/12", NeedEncap: true },
];

/** `/endpoints/<GUID>` as `/endpoints/{id}`. */
function withoutId(path: string): string {
  return path.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi, "{id}");
}
