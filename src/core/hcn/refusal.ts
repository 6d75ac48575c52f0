import { PluginError } from "../base/errors.ts";
import { describeHresult, formatHresult, isTransient } from "./hresults.ts";

/** RPC server unavailable, service not running, service disabled, service missing: nobody is there to answer. */
const UNAVAILABLE: ReadonlySet<number> = new Set([0x800706ba, 0x80070426, 0x80070422, 0x80070424]);

/**
 * What HNS's refusal of the call `name` means as an error: HNS_UNAVAILABLE when the service is not there, else HNS_REFUSED.
 * `record` is what HNS wrote about it; it goes to the details and is never interpreted.
 */
export function refusal(name: string, hresult: number, record: string | undefined): PluginError {
  const { name: symbol, cause, remedy } = describeHresult(hresult);
  const message = `HNS refused "${name}" with ${formatHresult(hresult)} (${symbol}): ${cause}`;
  const data = { message, remedy, hresult: hresult >>> 0, ...(record !== undefined && { details: record }) };
  const isAbsent = UNAVAILABLE.has(hresult >>> 0);
  return new PluginError(isAbsent ? "HNS_UNAVAILABLE" : "HNS_REFUSED", data, { retryable: isAbsent || isTransient(hresult) });
}
