import type { JsonObject } from "../cni/json.ts";
import { normalise, normaliseForDelete } from "./normalise.ts";
import type { OurNames } from "./our-names.ts";
import type { HostConfig, Normalised, PluginConfig } from "./plugin-config.ts";

/** Reads the configurations of calls; `normalise` and `normaliseForDelete` tell what they throw. */
export interface ConfigReader {
  readonly normalise: (raw: JsonObject, names: OurNames) => Normalised<PluginConfig>;
  readonly normaliseForDelete: (raw: JsonObject) => Normalised<HostConfig>;
}

/** Configurations that are kept: a node has a few networks, and pods that ask for ports of their own have one each. */
const KEPT = 16;
/** Longer ones are read each time, so that what is kept stays small. Characters. */
const MAX_TEXT = 16_384;

/**
 * For a program that stays: a runtime sends the same configuration for nearly every pod, and reading one anew takes longer than all else that an ADD or DEL
 * does with it. What is kept is never changed by anybody. A configuration that is refused is not kept.
 */
export function rememberingReader(): ConfigReader {
  const forAdd = new Recent<Normalised<PluginConfig>>();
  const forDelete = new Recent<Normalised<HostConfig>>();
  return {
    normalise: (raw, names) => forAdd.get(JSON.stringify([names, raw]), () => normalise(raw, names)),
    // Each DEL brings the pod's own result, and reads nothing of it.
    normaliseForDelete: (raw) => forDelete.get(JSON.stringify(withoutResult(raw)), () => normaliseForDelete(raw)),
  };
}

function withoutResult(raw: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(raw).filter(([key]) => key.toLowerCase() !== "prevresult"));
}

/** The values that were asked for last, by a text that stands for all that they were made of. */
class Recent<T> {
  readonly #values = new Map<string, T>();

  get(text: string, make: () => T): T {
    const known = this.#values.get(text);
    const value = known ?? make();
    if (text.length > MAX_TEXT) return value;
    this.#values.delete(text); // to the end: the first is the one that was asked for longest ago
    this.#values.set(text, value);
    const [oldest] = this.#values.keys();
    if (this.#values.size > KEPT && oldest !== undefined) this.#values.delete(oldest);
    return value;
  }
}
