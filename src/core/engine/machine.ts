import type { Clock } from "../base/async.ts";
import type { IpAddress } from "../base/ip.ts";
import type { ProcessTable } from "./lease.ts";

/** What the engine needs of the computer besides HNS and the state. */
export interface Machine {
  readonly clock: Clock;
  readonly processes: ProcessTable;
  /** The node's name as the operating system has it. */
  readonly nodeName: string;
  /** As Kubernetes names it: amd64 or arm64. */
  readonly architecture: string;
  /** Names this run of the HNS service; "" when it cannot be told. */
  hnsStart(): string;
  /**
   * Enables forwarding of the address's family on the interface that has `address`, waiting up to `waitMs` for HNS to bring it up.
   * @returns "missing" where the operating system has no function for it
   * @throws FORWARDING_FAILED when the function is there and fails
   */
  enableForwarding(address: IpAddress, waitMs: number): Promise<"enabled" | "missing">;
}
