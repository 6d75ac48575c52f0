import type { WarmConfig } from "../config/plugin-config.ts";
import type { Subnet } from "./blocks.ts";

/** What one pool is told by the configuration. */
export interface PoolSpec extends Subnet {
  readonly id: string;
  readonly blockPrefix: number;
  readonly cooldownMs: number;
  /** Where the configuration has the range, for errors; absent means ipam.cidr. */
  readonly field?: string;
  /** Absent means that blocks are carved when they are needed. */
  readonly warm?: WarmConfig;
}
