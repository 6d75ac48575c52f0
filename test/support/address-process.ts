/** The IPAM of one process on a state folder that others use too: the engine's own ADD, DEL and GC, without HNS. */
import { PluginError } from "../../src/core/base/errors.ts";
import type { Logger } from "../../src/core/base/log.ts";
import { normaliseIpamRole } from "../../src/core/config/ipam-role.ts";
import type { IpamRoleConfig } from "../../src/core/config/ipam-role.ts";
import { reserveAddress, returnAddress, returnStaleAddresses } from "../../src/core/engine/ipam-role.ts";
import { Operation } from "../../src/core/engine/operation.ts";
import type { StateStore } from "../../src/core/engine/store.ts";
import type { HcnBackend } from "../../src/core/hcn/backend.ts";
import { openLinuxMachine } from "../../src/host/linux/machine.ts";
import { withStateStore } from "../../src/host/state/open-store.ts";
import type { JsonObject } from "../../scripts/demo/conf-list.ts";

const NETWORK = "crowd";

/** The plugin object of another plugin, as its runtime sends it. Released addresses may be given out again at once. */
export function buildCrowdInput(stateDir: string, cidr: string): JsonObject {
  const ipam = { type: "hns-cni", cidr, blockSize: 28, stateDir, cooldownSeconds: 0, waitSeconds: 5 };
  return { cniVersion: "1.0.0", name: NETWORK, type: "win-bridge", ipam };
}

export interface AddressCalls {
  /** The address; undefined when there is none left. */
  add(container: string): Promise<string | undefined>;
  del(container: string): Promise<void>;
  /** Takes back what containers have that are not `valid`. */
  gc(valid: readonly string[]): Promise<void>;
  readonly store: StateStore;
}

/** Runs `work` with the state opened as the program opens it. Throws what it throws, and when anything was logged as an error. */
export async function withAddresses<T>(input: JsonObject, work: (calls: AddressCalls) => Promise<T>): Promise<T> {
  const { config } = normaliseIpamRole(input);
  const machine = openLinuxMachine(() => {
    throw new PluginError("HNS_UNAVAILABLE", { message: "there is no HNS here", remedy: "none" });
  });
  const errors: string[] = [];
  const log = buildLog(errors);
  const outcome = await withStateStore({ stateDir: config.stateDir ?? "", log, clock: machine.clock }, (store) => {
    const begin = (): Operation<IpamRoleConfig> => new Operation({ backend: NO_HNS, store, machine, log }, config);
    return work(buildCalls(begin, store));
  });
  if (errors.length > 0) throw new Error(errors.join("; "));
  return outcome;
}

function buildCalls(begin: () => Operation<IpamRoleConfig>, store: StateStore): AddressCalls {
  const keyOf = (containerId: string): { network: string; containerId: string; ifname: string } => {
    return { network: NETWORK, containerId, ifname: "eth0" };
  };
  return {
    add: async (container) => {
      try {
        const { ips } = await reserveAddress(begin(), keyOf(container), noFile);
        return ips[0]?.address.split("/")[0];
      } catch (thrown) {
        if (thrown instanceof PluginError && thrown.code === "ADDRESS_EXHAUSTED") return undefined;
        throw thrown;
      }
    },
    del: (container) => returnAddress(begin(), keyOf(container)),
    gc: (valid) => returnStaleAddresses(begin(), { network: NETWORK, valid: valid.map(keyOf) }),
    store,
  };
}

function noFile(path: string): string {
  throw new Error(`${path} is not to be read`);
}

function buildLog(errors: string[]): Logger {
  const drop = (): void => undefined;
  const keep = (message: string, fields?: object): void => void errors.push(`${message} ${JSON.stringify(fields)}`);
  return { error: keep, warn: keep, info: drop, debug: drop };
}

const refuse = (): Promise<never> => Promise.reject(new Error("HNS is not to be asked"));

const NO_HNS: HcnBackend = {
  enumerate: refuse,
  open: refuse,
  createNetwork: refuse,
  createEndpoint: refuse,
  query: refuse,
  modify: refuse,
  delete: refuse,
  close: refuse,
  callV1: refuse,
};
