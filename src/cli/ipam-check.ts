import type { StateTransaction } from "../core/engine/store.ts";
import { type Finding, findInconsistencies } from "../core/ipam/consistency.ts";
import { listConflicts } from "../core/ipam/conflicts.ts";
import { networkOfPool, withState } from "./ipam-state.ts";
import { writeDocument } from "./output.ts";
import type { CliWorld, ExitCode } from "./world.ts";

export interface CheckArguments {
  readonly stateDir: string | undefined;
  readonly output: "text" | "json" | "yaml";
}

/** Exit code 1 when anything was found. */
export function checkPools(world: CliWorld, { stateDir, output }: CheckArguments): ExitCode {
  const { findings, pools } = withState(world, stateDir, (store) =>
    store.read((tx) => ({ findings: [...findInconsistencies(tx), ...findLeaks(tx), ...findConflicts(tx)], pools: tx.listPools().length })),
  );
  if (output !== "text") writeDocument(world, { healthy: findings.length === 0, pools, findings }, output);
  else {
    for (const { pool, subject, problem, remedy } of findings) world.writeOut(`${pool}: ${subject} ${problem}\n  ${remedy}\n`);
    const count = findings.length === 1 ? "1 finding" : `${findings.length} findings`;
    world.writeOut(findings.length === 0 ? `${pools === 1 ? "1 pool" : `${pools} pools`}: nothing wrong\n` : `${count}\n`);
  }
  return findings.length === 0 ? 0 : 1;
}

/** Addresses whose pod is gone, and pods without an address. Networks that other plugins make have no attachments here. */
function findLeaks(tx: StateTransaction): Finding[] {
  const pools = tx.listPools().map(({ id }) => id);
  const networks = [...new Set(pools.map(networkOfPool))].filter((network) => tx.findNetwork(network) !== undefined);
  return networks.flatMap((network) => {
    const pool = pools.filter((id) => networkOfPool(id) === network).join(", ");
    const owners = tx.listOwnersWithoutAttachment(network).map((owner) => ({
      pool,
      subject: owner,
      problem: `owns ${tx
        .listOwned(owner)
        .map(({ address }) => address)
        .join(", ")} and has no attachment`,
      remedy: `if no pod has the address: hns-cni ipam release --owner ${owner}`,
    }));
    const attached = tx.listAttachments({ network, phases: ["attached"] }).filter(({ id }) => tx.listOwned(id).length === 0);
    const bare = attached.map(({ id, containerId, ifname }) => ({
      pool,
      subject: id,
      problem: `is attached (container ${containerId}, ${ifname}) and has no address`,
      remedy: "restart the pod: the addresses of this node were lost or released by hand",
    }));
    return [...owners, ...bare];
  });
}

/** Addresses that an endpoint of somebody else has, as HNS said when a pod was to get them. */
function findConflicts(tx: StateTransaction): Finding[] {
  return tx.listPools().flatMap(({ id: pool }) =>
    listConflicts(tx, pool).map(({ address, since }) => ({
      pool,
      subject: address,
      problem: `was refused by HNS as in use (${new Date(since).toISOString()}), so nobody gets it`,
      remedy:
        "look for the endpoint that has it (Get-HnsEndpoint) and for another IPAM with the same range; a GC frees it once that is gone",
    })),
  );
}
