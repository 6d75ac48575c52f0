import { HnsError, HRESULT } from "./hresult.ts";
import { findNumber, findText, type JsonObject } from "./json.ts";
import { listPolicySettings } from "./policies.ts";
import type { GuestServiceRecord, PortReservation, World } from "./world.ts";

const SCHEMA: JsonObject = { Major: 2, Minor: 0 };
const STATE_CREATED = 1;
export const PROTOCOL_BOTH = 3;
const ACCESS_SHARED = 2;
/** Where HNS takes a range from when only its length is asked for: the dynamic ports of Windows. */
const FIRST_DYNAMIC_PORT = 49152;
const LAST_PORT = 65535;

/** Ports to reserve for a service; without `start` any free ones of this number. */
export interface PortWish {
  readonly service: string;
  readonly protocol: number;
  readonly access: number;
  readonly start?: number;
  readonly count: number;
}

export function createGuestService(world: World, id: string, document: JsonObject): GuestServiceRecord {
  const chosen = world.chooseId(id, findText(document, "ID"));
  if (world.guestServices.has(chosen)) throw new HnsError(HRESULT.OBJECT_EXISTS, chosen);
  const record: GuestServiceRecord = { id: chosen, state: STATE_CREATED, document: structuredClone(document) };
  world.guestServices.set(chosen, record);
  world.notify({ type: 7, data: JSON.stringify({ ID: chosen }) });
  return record;
}

export function getGuestService(world: World, id: string): GuestServiceRecord {
  const record = world.guestServices.get(id);
  if (record === undefined) throw new HnsError(HRESULT.ELEMENT_NOT_FOUND, id);
  return record;
}

/** Deletes a service; the ports reserved for it are free again. */
export function deleteGuestService(world: World, id: string): void {
  getGuestService(world, id);
  for (const reservation of [...world.portReservations.values()])
    if (reservation.service === id) world.portReservations.delete(reservation.id);
  world.guestServices.delete(id);
  world.notify({ type: 8, data: JSON.stringify({ ID: id }) });
}

/** `{State}` changes the service's state, `{InterfaceState, ...}` that of an interface; the service's own callbacks hear either. */
export function modifyGuestService(world: World, id: string, document: JsonObject): void {
  const record = getGuestService(world, id);
  const state = findNumber(document, "State");
  const interfaceState = findNumber(document, "InterfaceState");
  if (state === undefined && interfaceState === undefined)
    throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, "neither State nor InterfaceState");
  if (state !== undefined) {
    record.state = state;
    world.notify({ type: 0x11, data: JSON.stringify({ ID: id, State: state }), service: id });
  }
  if (interfaceState !== undefined)
    world.notify({ type: 0x12, data: JSON.stringify({ ID: id, InterfaceState: interfaceState }), service: id });
}

export function buildGuestService({ id, state, document }: GuestServiceRecord): JsonObject {
  return { SchemaVersion: SCHEMA, ...document, ID: id, State: state };
}

/** Reserves ports. PORT_ALREADY_EXISTS when somebody has them (two shared reservations get on), INVALID_ARGUMENT for nonsense. */
export function reservePorts(world: World, wish: PortWish): PortReservation {
  getGuestService(world, wish.service);
  checkWish(wish);
  const start = wish.start ?? findFreeRange(world, wish);
  const end = start + wish.count - 1;
  if (!isFree(world, wish, start, end)) throw new HnsError(HRESULT.PORT_ALREADY_EXISTS, `${start}-${end}`);
  const { service, protocol, access } = wish;
  const record: PortReservation = { id: world.freshId(), service, protocol, access, start, end };
  world.portReservations.set(record.id, record);
  return record;
}

export function releasePorts(world: World, id: string): void {
  if (!world.portReservations.delete(id)) throw new HnsError(HRESULT.PORT_NOT_FOUND, id);
}

function checkWish({ protocol, access, start, count }: PortWish): void {
  const isKnown = protocol >= 1 && protocol <= PROTOCOL_BOTH && access >= 1 && access <= ACCESS_SHARED;
  const fits = count >= 1 && (start === undefined || (start >= 1 && start + count - 1 <= LAST_PORT));
  if (!isKnown || !fits) throw new HnsError(HRESULT.INVALID_ARGUMENT, "protocol, access or port");
}

function findFreeRange(world: World, wish: PortWish): number {
  for (let start = FIRST_DYNAMIC_PORT; start + wish.count - 1 <= LAST_PORT; start++)
    if (isFree(world, wish, start, start + wish.count - 1)) return start;
  throw new HnsError(HRESULT.PORT_ALREADY_EXISTS, `no ${wish.count} free ports in a row`);
}

/** Free of other reservations and of the host ports that endpoints map. */
function isFree(world: World, { protocol, access }: PortWish, start: number, end: number): boolean {
  const isHeld = [...world.portReservations.values()].some((other) => {
    const meets = (other.protocol & protocol) !== 0 && other.start <= end && start <= other.end;
    return meets && !(other.access === ACCESS_SHARED && access === ACCESS_SHARED);
  });
  const isMapped = [...world.endpoints.values()].some((endpoint) =>
    listPolicySettings(endpoint.policies, "PortMapping").some((mapping) => {
      const port = findNumber(mapping, "ExternalPort") ?? 0;
      return port >= start && port <= end;
    }),
  );
  return !isHeld && !isMapped;
}
