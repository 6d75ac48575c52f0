import { deadlineIn, poll } from "../../base/async.ts";
import { PluginError, toPluginError } from "../../base/errors.ts";
import type { AttachableConfig } from "../../config/plugin-config.ts";
import type { NetworkDocument } from "../../hcn/documents.ts";
import { buildNewNetwork, createNetwork, readHnsVersion, requireSupported } from "../ensure-network.ts";
import { Operation } from "../operation.ts";
import { describeRepair, findMissing } from "./compare.ts";
import { finish } from "./finish.ts";
import { withMode } from "../with-mode.ts";
import { NOTHING, type PrepareOptions, type PrepareReport } from "./options.ts";
import {
  chooseCard,
  findStanding,
  listNetworks,
  notReady,
  requireExternal,
  requireFree,
  requireSwitch,
  type Standing,
} from "./preflight.ts";
import { resume } from "./resume.ts";
import { describeUndone, rollBack } from "./roll-back.ts";
import { formatSnapshot, readSnapshot, type Snapshot } from "./snapshot.ts";
import { findCard, findCarrier, findManagement, gatewaysOf, type Uplink } from "./uplink.ts";

/** How long a gateway may take to answer before anything is made: neighbours are asked again. */
const ANSWER_MS = 2_000;

/**
 * Makes the first external HNS network on a card as a step of its own, and sees that the node's connection is as it was: the snapshot of
 * the uplink is on disk before HNS is asked, what does not come back is restored, and where the connection does not return the network is
 * taken away again. One that was interrupted is ended first, from its snapshot. Where a switch is there already nothing is done.
 * Throws INVALID_CONFIG, NETWORK_MISMATCH and NETWORK_NOT_READY before anything is made; what HNS throws, and NETWORK_NOT_READY for a connection that does not
 * return, after everything was taken back, or with a message that says what could not be.
 */
export async function prepareNetwork(given: PrepareOptions): Promise<PrepareReport> {
  const { config } = await withMode(new Operation(given.engine, given.config));
  const options = { ...given, config };
  const { engine, file, dryRun } = options;
  requireExternal(config);
  const earlier = readSnapshot(file);
  if (earlier !== undefined && dryRun) return planResume(options, earlier);
  const resumed = earlier === undefined ? undefined : await resume(options, earlier);
  if (resumed !== undefined) return resumed;
  const operation = new Operation(engine, config);
  const networks = await listNetworks(operation.hcn);
  const uplinks = await options.uplinks.list();
  const named = networks.find(({ name }) => name === config.networkName);
  if (named !== undefined) {
    requireSwitch(named, config);
    return reportStanding(named, uplinks, named.adapter);
  }
  const card = chooseCard(config.adapter, uplinks);
  const standing = findStanding(networks, config.networkName, card, uplinks);
  if (standing !== undefined) return reportStanding(standing, uplinks, standing.adapter ?? card.name);
  requireFree(card, uplinks);
  // HNS picks any card where none is named.
  return await makeSwitch(options, new Operation(engine, { ...config, adapter: card.name }), card);
}

function reportStanding({ name }: Standing, uplinks: readonly Uplink[], adapter: string | undefined): PrepareReport {
  const card = uplinks.find((uplink) => uplink.name.toLowerCase() === adapter?.toLowerCase());
  const after = card === undefined ? undefined : findCarrier(uplinks, card);
  return { ...NOTHING, outcome: "standing", network: name, adapter, after };
}

async function makeSwitch(options: PrepareOptions, operation: Operation<AttachableConfig>, card: Uplink): Promise<PrepareReport> {
  const version = await readHnsVersion(operation);
  requireSupported(operation, version);
  const document = buildNewNetwork(operation.config, version);
  const gateways = await findAnswering(options, card);
  const takenAt = new Date(options.engine.machine.clock.now()).toISOString();
  const snapshot: Snapshot = { takenAt, network: operation.config.networkName, uplink: card, gateways };
  if (options.dryRun) return planSwitch(options, snapshot, document);
  if (gateways.length === 0) options.tell(`${card.name}: no gateway answers now, so only addresses and routes can be compared afterwards`);
  refuseInterrupted(options);
  options.file.write(formatSnapshot(snapshot));
  options.tell(`${card.name}: addresses, routes and name servers are kept in ${options.file.path}`);
  await create(options, operation, snapshot);
  return await finish(options, snapshot, false);
}

/** Nothing has been made yet. */
function refuseInterrupted({ isInterrupted }: PrepareOptions): void {
  if (isInterrupted()) throw notReady("prepare was interrupted before it had made anything", "start it again");
}

async function findAnswering({ uplinks, engine }: PrepareOptions, card: Uplink): Promise<string[]> {
  const { clock } = engine.machine;
  const found: string[] = [];
  for (const gateway of gatewaysOf(card)) {
    const ask = async (): Promise<true | undefined> => ((await uplinks.reaches(card.name, gateway)) ? true : undefined);
    if (await poll(clock, { deadline: deadlineIn(clock, ANSWER_MS), intervalMs: 500 }, ask)) found.push(gateway);
  }
  return found;
}

/** A creation that failed may have been done all the same. */
async function create(options: PrepareOptions, operation: Operation<AttachableConfig>, snapshot: Snapshot): Promise<void> {
  const { tell, engine } = options;
  const { networkName } = operation.config;
  tell(`${snapshot.uplink.name}: making the network "${networkName}"; the node's connections break off for some seconds`);
  try {
    const known = engine.store.read((tx) => tx.findNetwork(networkName));
    const handle = await createNetwork(operation, known, await readHnsVersion(operation));
    if (handle !== undefined) await operation.hcn.close(handle);
  } catch (thrown) {
    const { message } = toPluginError(thrown);
    const undone = await rollBack(options, snapshot, { mayComeLater: !isRefusal(thrown) });
    tell(`the network could not be made: ${message}; ${describeUndone(undone, options.file)}`);
    throw thrown;
  }
}

/** HNS has answered, and will not make the network behind our back. */
function isRefusal(thrown: unknown): boolean {
  return thrown instanceof PluginError && thrown.code === "HNS_REFUSED";
}

function planSwitch(
  { file, timeoutMs }: PrepareOptions,
  { uplink, gateways, network }: Snapshot,
  document: NetworkDocument,
): PrepareReport {
  const answering = gateways.length === 0 ? "no gateway answers now, so this cannot be seen" : `until ${gateways.join(", ")} answers`;
  const plan = [
    `keep the addresses, routes and name servers of "${uplink.name}" in ${file.path}`,
    `make the HNS network "${network}" (${document.Type}) on "${uplink.name}": the node's connections break off for some seconds`,
    `wait up to ${timeoutMs / 1000} s for the addresses on the management interface with MAC address ${uplink.mac}`,
    "restore what is missing there: addresses, default route, other routes, name servers",
    `see that the node is connected: ${answering}`,
    "if it is not, take the network away again and restore the card",
  ];
  return { ...NOTHING, outcome: "planned", network, adapter: uplink.name, before: uplink, gateways, document, plan };
}

async function planResume({ file, uplinks }: PrepareOptions, { takenAt, uplink, network, gateways }: Snapshot): Promise<PrepareReport> {
  const all = await uplinks.list();
  const now = findManagement(all, uplink.mac) ?? findCard(all, uplink);
  const missing = now === undefined ? ["the interface itself"] : findMissing(uplink, now).map(describeRepair);
  const next = now === undefined ? `nothing: the machine has no card with MAC address ${uplink.mac}` : `restore ${missing.join(", ")}`;
  const plan = [
    `end the prepare of ${takenAt} first, whose snapshot is in ${file.path}`,
    missing.length === 0 ? "nothing of the uplink is missing: remove the snapshot" : next,
  ];
  return { ...NOTHING, outcome: "planned", network, adapter: uplink.name, before: uplink, after: now, gateways, missing, plan };
}
