/** host-local, the reference IPAM plugin, as its project publishes it, on Linux. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addressAt, findCidr, formatIp } from "../../src/core/base/ip.ts";
import { findPeers, peersReason } from "../peers/build.ts";
import { type ProcessRun, timeProcess } from "./process.ts";

const NETWORK = "pods";
const RANGE = "10.244.0.0/16";
/** The gateway's is the first. */
const FIRST = 2;

/** Why it cannot run here; builds it when it is not there yet. */
export function hostLocalReason(): string | undefined {
  return peersReason();
}

/** One node's addresses, `count` of them held. */
export class HostLocal {
  readonly #dataDir = mkdtempSync(join(tmpdir(), "hns-cni-host-local-"));

  constructor(count: number) {
    const cidr = findCidr(RANGE);
    if (cidr === undefined) throw new Error("the range is no CIDR");
    const folder = join(this.#dataDir, NETWORK);
    mkdirSync(folder);
    const addresses = Array.from({ length: count }, (_, index) => formatIp(addressAt(cidr, FIRST + index)));
    // A file for each address, with its owner; and where the search goes on.
    for (const [index, address] of addresses.entries()) writeFileSync(join(folder, address), `held-${index}\r\neth0`);
    const last = addresses.at(-1);
    if (last !== undefined) writeFileSync(join(folder, "last_reserved_ip.0"), last);
  }

  /** An ADD and a DEL, milliseconds. */
  async measure(): Promise<number> {
    const container = randomBytes(32).toString("hex");
    let ms = 0;
    for (const command of ["ADD", "DEL"] as const) ms += await timeProcess(() => Promise.resolve(this.buildCall(command, container)));
    return ms;
  }

  buildCall(command: "ADD" | "DEL", container: string): ProcessRun {
    const { linux } = findPeers();
    const stdin = JSON.stringify({
      cniVersion: "1.0.0",
      name: NETWORK,
      type: "host-local",
      ipam: { type: "host-local", dataDir: this.#dataDir, ranges: [[{ subnet: RANGE }]] },
    });
    const variables = { CNI_CONTAINERID: container, CNI_NETNS: "/var/run/netns/pod", CNI_IFNAME: "eth0", CNI_PATH: linux };
    return { program: join(linux, "host-local"), env: { CNI_COMMAND: command, ...variables }, stdin };
  }

  close(): void {
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}
