import { PluginError } from "./errors.ts";
import type { LogFields } from "./log.ts";

/** The fields as JSON can have them: an error becomes its code, message, HRESULT and details. */
export function plainFields(fields: LogFields): LogFields {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? describeError(value) : value]));
}

function describeError(error: Error): object {
  if (!(error instanceof PluginError)) return { message: error.message, stack: error.stack };
  const { hresult, details } = error.data;
  return {
    code: error.code,
    message: error.message,
    ...(hresult !== undefined && { hresult: `0x${hresult.toString(16)}` }),
    ...(details !== undefined && { details }),
  };
}
