import { formatGuid, ZERO_GUID } from "../../../src/core/base/ids.ts";
import { readHandle, readNumber, type CallArgs, type CallContext, type CallEffect, type Export } from "./export-arguments.ts";
import { PROTOCOL_BOTH, releasePorts, reservePorts, type PortWish } from "./guest-services.ts";

const ACCESS_EXCLUSIVE = 1;

/** The port reservations and callbacks of guest network services; the services themselves are objects like the others. */
export const GUEST_EXPORTS: readonly (readonly [string, Export])[] = [
  ["HcnReserveGuestNetworkServicePort", reservePort],
  ["HcnReserveGuestNetworkServicePortRange", reservePortRange],
  ["HcnReleaseGuestNetworkServicePortReservationHandle", releaseReservation],
  ["HcnEnumerateGuestNetworkPortReservations", listReservations],
  ["HcnRegisterGuestNetworkServiceCallback", registerCallback],
  ["HcnUnregisterGuestNetworkServiceCallback", unregisterCallback],
];

/** Service handle, protocol, access, port. */
function reservePort(context: CallContext, [service, protocol, access, port]: CallArgs): CallEffect {
  const id = context.handles.resolve(readHandle(service), "guestService", context.pid);
  const wish = { service: id, protocol: readNumber(protocol), access: readNumber(access), start: readNumber(port), count: 1 };
  return { handle: reserve(context, wish).handle };
}

/** Service handle, number of ports. The output is `{"start","end"}`, which the library turns into the caller's structure. */
function reservePortRange(context: CallContext, [service, count]: CallArgs): CallEffect {
  const id = context.handles.resolve(readHandle(service), "guestService", context.pid);
  const wish = { service: id, protocol: PROTOCOL_BOTH, access: ACCESS_EXCLUSIVE, count: readNumber(count) };
  const { handle, start, end } = reserve(context, wish);
  return { handle, output: JSON.stringify({ start, end }) };
}

function reserve({ world, handles, pid }: CallContext, wish: PortWish): { handle: number; start: number; end: number } {
  const { id, start, end } = reservePorts(world, wish);
  return { handle: handles.open("portReservation", id, pid), start, end };
}

function releaseReservation({ world, handles, pid }: CallContext, [handle]: CallArgs): CallEffect {
  const id = handles.resolve(readHandle(handle), "portReservation", pid);
  handles.close(readHandle(handle), "portReservation", pid);
  releasePorts(world, id);
  return {};
}

/** One line a reservation: `owner protocol start end shared`, in the order they were made; easy to read for a C program. */
function listReservations({ world }: CallContext): CallEffect {
  const lines = [...world.portReservations.values()].map(({ service, protocol, access, start, end }) =>
    [service, protocol, start, end, access].join(" "),
  );
  return { output: lines.join("\n") };
}

function registerCallback({ handles, pid }: CallContext, [service]: CallArgs): CallEffect {
  const id = handles.resolve(readHandle(service), "guestService", pid);
  return { handle: handles.open("guestCallback", id, pid) };
}

function unregisterCallback({ handles, pid }: CallContext, [handle]: CallArgs): CallEffect {
  handles.close(readHandle(handle), "guestCallback", pid);
  return {};
}

/** The handle of a service callback stands for no object. */
export const NO_OBJECT = formatGuid(ZERO_GUID);
