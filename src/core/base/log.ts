/** Levels from the most to the least urgent: an operator must act, degraded, state changed, one call. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Facts of a log line; an Error is written with its message, code and HRESULT. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Messages are constant and lower case; fields carry the data. Logging never throws. */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}
