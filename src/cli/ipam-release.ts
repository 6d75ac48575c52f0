import { findIp, formatIp } from "../core/base/ip.ts";
import { findGuid } from "../core/base/ids.ts";
import type { StateTransaction } from "../core/engine/store.ts";
import { stamp } from "../core/ipam/release-time.ts";
import type { AddressRecord } from "../core/ipam/store.ts";
import type { EndpointSummary } from "../core/hcn/documents-v1.ts";
import { isOfNetwork, withState } from "./ipam-state.ts";
import { writeDocument } from "./output.ts";
import { listEndpointsFor, refuseHeld } from "./release-guard.ts";
import { CliError, type CliWorld, type ExitCode } from "./world.ts";

export interface ReleaseArguments {
  readonly stateDir: string | undefined;
  readonly address: string | undefined;
  readonly owner: string | undefined;
  readonly network: string | undefined;
  readonly yes: boolean;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly output: "text" | "json" | "yaml";
}

/**
 * Puts addresses to rest as a DEL does. Throws CliError when there is nothing to release, when an attachment or an endpoint in HNS stands with
 * one and `force` is not given, and when neither `yes` nor `dryRun` is: then it says what it would do.
 */
export async function releaseAddresses(world: CliWorld, request: ReleaseArguments): Promise<ExitCode> {
  if ((request.address === undefined) === (request.owner === undefined)) {
    throw new CliError("nothing to release", { why: "name one address, or --owner", next: "hns-cni ipam show -o wide lists both" });
  }
  withState(world, request.stateDir, (store) => store.read((tx) => findHeld(tx, request))); // its faults come before those of HNS
  const endpoints = request.force ? [] : await listEndpointsFor(world, request.address ?? request.owner ?? "");
  return release(world, request, endpoints);
}

function release(world: CliWorld, request: ReleaseArguments, endpoints: readonly EndpointSummary[]): ExitCode {
  const clock = world.openClock();
  const released = withState(world, request.stateDir, (store) => {
    const find = (tx: StateTransaction): AddressRecord[] => {
      const held = findHeld(tx, request);
      for (const record of held) refuseHeld(tx, record, endpoints);
      return held;
    };
    if (request.dryRun || !request.yes) return store.read(find);
    return store.transaction((tx) => {
      const held = find(tx);
      for (const record of held) tx.putAddress({ ...record, state: "cooling", released: stamp(clock) });
      return held;
    });
  });
  const lines = released.map(({ address, pool, owner, state }) => ({ address, pool, owner, was: state }));
  if (!request.dryRun && !request.yes) {
    const what = lines.map(({ address, owner }) => `${address} of ${owner}`).join(", ");
    const next = "add --yes when no pod has it, or --dry-run to look only";
    throw new CliError(`nothing was released`, { why: `this would release ${what}`, next });
  }
  if (request.output !== "text") writeDocument(world, { dryRun: request.dryRun, released: lines }, request.output);
  const verb = request.dryRun ? "would be released" : "released: it rests now, and is free after the cool-down";
  if (request.output === "text") {
    for (const { address, pool, owner, was } of lines) world.writeOut(`${address} (${pool}, ${was}, owner ${owner}) ${verb}\n`);
  }
  return 0;
}

function findHeld(tx: StateTransaction, request: ReleaseArguments): AddressRecord[] {
  const { owner, network } = request;
  const all = owner === undefined ? findByAddress(tx, request.address ?? "") : tx.listOwned(findGuid(owner) ?? owner);
  const held = all.filter((record) => isOfNetwork(record.pool, network) && isHeld(record));
  if (held.length === 0) throw notHeld(owner ?? request.address ?? "", all.length > 0);
  if (owner === undefined) refuseAmbiguous(held);
  if (!request.force) for (const record of held) refuseStanding(tx, record);
  return held;
}

function notHeld(what: string, isKnown: boolean): CliError {
  const why = isKnown ? "it is not assigned and not in quarantine" : "it is not known here";
  return new CliError(`cannot release ${what}`, { why, next: "hns-cni ipam show -o wide lists what is held" });
}

function isHeld({ state }: AddressRecord): boolean {
  return state === "assigned" || state === "quarantined";
}

/** Pools may lie over each other. */
function refuseAmbiguous(held: readonly AddressRecord[]): void {
  if (held.length < 2) return;
  const why = `it is held in ${held.map(({ pool }) => pool).join(" and ")}`;
  throw new CliError(`cannot release ${held[0]?.address ?? ""}`, { why, next: "say which with --network" });
}

function findByAddress(tx: StateTransaction, text: string): AddressRecord[] {
  const ip = findIp(text);
  if (ip === undefined) throw new CliError(`cannot release "${text}"`, { why: "it is no IP address", next: "write such as 10.244.3.17" });
  const found = tx.listPools().map(({ id }) => tx.findAddress(id, formatIp(ip)));
  return found.filter((record) => record !== undefined);
}

/** Another pod would get the address of one that runs. */
function refuseStanding(tx: StateTransaction, { address, owner }: AddressRecord): void {
  const id = findGuid(owner);
  const attachment = id === undefined ? undefined : tx.findAttachment(id);
  if (attachment === undefined || attachment.phase === "gone") return;
  const why = `container ${attachment.containerId} is ${attachment.phase} with it`;
  throw new CliError(`cannot release ${address}`, { why, next: "delete the pod, or add --force when it is gone for certain" });
}
