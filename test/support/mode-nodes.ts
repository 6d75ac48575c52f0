/** A node of each mode, with addresses of ours and, where HNS can, of HNS. */
import { EngineFixture, type EngineFixtureOptions } from "./engine-fixture.ts";

export interface ModeNode {
  readonly name: string;
  readonly options: EngineFixtureOptions;
  /** The HNS network's type. */
  readonly type: string;
  /** The first pod's address, with prefix. */
  readonly address: string;
  readonly gateway: string | undefined;
  /** Policies of the first pod's endpoint, by type. */
  readonly policies: readonly string[];
}

const SDN = ["OutBoundNAT", "SDNRoute", "OutBoundNAT"];
const OURS = "10.244.3.3/24";

function ours(mode: string, type: string, rest: { gateway: string | undefined; policies: readonly string[] }): ModeNode {
  return { name: mode, options: { config: { mode } }, type, address: OURS, ...rest };
}

function hns(mode: string, type: string, rest: { address: string; gateway: string | undefined; policies: readonly string[] }): ModeNode {
  const subnet = rest.gateway === undefined && mode === "transparent" ? {} : { subnet: "10.244.3.0/24" };
  return { name: `${mode} with addresses of HNS`, options: { addresses: "hns", config: { mode, ...subnet } }, type, ...rest };
}

export const MODE_NODES: readonly ModeNode[] = [
  ours("l2bridge", "L2Bridge", { gateway: "10.244.3.2", policies: SDN }),
  ours("l2tunnel", "L2Tunnel", { gateway: "10.244.3.1", policies: SDN }),
  ours("overlay", "Overlay", { gateway: "10.244.3.1", policies: [...SDN, "ProviderAddress"] }),
  ours("nat", "NAT", { gateway: "10.244.3.1", policies: [] }),
  ours("transparent", "Transparent", { gateway: "10.244.3.1", policies: [] }),
  ours("internal", "Internal", { gateway: "10.244.3.1", policies: [] }),
  ours("private", "Private", { gateway: undefined, policies: [] }),
  hns("l2bridge", "L2Bridge", { address: "10.244.3.3/24", gateway: "10.244.3.2", policies: SDN }),
  hns("nat", "NAT", { address: "10.244.3.2/24", gateway: "10.244.3.1", policies: [] }),
  // The card of the emulated machine is 10.0.0.4/24, and its DHCP server gives addresses from .100 on.
  hns("transparent", "Transparent", { address: "10.0.0.100/24", gateway: undefined, policies: [] }),
  hns("internal", "Internal", { address: "10.244.3.2/24", gateway: "10.244.3.1", policies: [] }),
];

export function makeModeNode({ options }: ModeNode, settings: EngineFixtureOptions["settings"] = {}): EngineFixture {
  return new EngineFixture({ ...options, settings });
}
