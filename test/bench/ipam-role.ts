/** Our program as the IPAM plugin of another plugin, with a state of its own in which addresses are held. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { normaliseIpamRole } from "../../src/core/config/ipam-role.ts";
import type { PluginConfig } from "../../src/core/config/plugin-config.ts";
import { poolSpec } from "../../src/core/engine/pool-spec.ts";
import { Database } from "../../src/host/state/database.ts";
import { SqliteStateStore } from "../../src/host/state/sqlite-store.ts";
import { fillPool } from "./ipam-in-process.ts";
import type { ProcessRun } from "./process.ts";

export class IpamRole {
  readonly stateDir = mkdtempSync(join(tmpdir(), "hns-cni-bench-"));
  readonly #input: { readonly [key: string]: unknown };

  constructor(count: number) {
    const ipam = { type: "hns-cni", cidr: "10.244.0.0/16", stateDir: this.stateDir };
    this.#input = { cniVersion: "1.0.0", name: "pods", type: "win-bridge", ipam };
    fillState(this.stateDir, normaliseIpamRole(this.#input).config, count);
  }

  /** All but the program. */
  buildCall(command: "ADD" | "DEL", container: string): Required<Pick<ProcessRun, "env" | "stdin">> {
    const attachment = { CNI_CONTAINERID: container, CNI_NETNS: "/var/run/netns/pod", CNI_IFNAME: "eth0" };
    return { env: { CNI_COMMAND: command, CNI_PATH: "/opt/cni/bin", ...attachment }, stdin: JSON.stringify(this.#input) };
  }

  close(): void {
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}

/** Takes `count` addresses in the state that a program with `config` will find. */
export function fillState(stateDir: string, config: PluginConfig, count: number): void {
  const store = new SqliteStateStore(Database.open({ path: join(stateDir, "state.db"), busyTimeoutMs: 1000 }));
  fillPool(store, poolSpec(config), count);
  store.close();
}
