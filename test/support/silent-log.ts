import type { Logger } from "../../src/core/base/log.ts";

const nothing = (): void => undefined;

export const silentLog: Logger = { error: nothing, warn: nothing, info: nothing, debug: nothing };
