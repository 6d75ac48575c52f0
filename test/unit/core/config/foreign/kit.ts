import type { Conversion } from "../../../../../src/core/config/foreign/convert.ts";
import { convertDocument } from "../../../../../src/core/config/foreign/convert.ts";
import type { ConvertOptions } from "../../../../../src/core/config/foreign/draft.ts";
import type { JsonObject } from "../../../../../src/core/cni/json.ts";

/** One configuration of another plugin, and what it becomes. */
export interface Pair {
  readonly name: string;
  readonly source: JsonObject;
  readonly options?: Partial<ConvertOptions>;
  readonly result: JsonObject;
  /** `verdict path` or `verdict path -> key`, of everything but plain "kept" notes, in any order. */
  readonly notes: readonly string[];
}

export function convert(source: JsonObject, options: Partial<ConvertOptions> = {}): Conversion {
  return convertDocument(source, { ipam: "keep", ...options });
}

export function noteLines({ notes }: Conversion): string[] {
  const told = notes.filter(({ verdict, path, to }) => verdict !== "kept" || (to !== path && to !== undefined));
  return told.map(({ verdict, path, to }) => `${verdict} ${path}${to === undefined || to === path ? "" : ` -> ${to}`}`);
}

/** An entry of `policies` as this plugin has it. */
export function endpointPolicy(value: object): object {
  return { name: "EndpointPolicy", value };
}
