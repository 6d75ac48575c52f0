/**
 * The scripts that the executable carries beside its main one. node:sea and node:vm are asked for here alone, when one is
 * wanted: an import would load them for every call.
 */

/**
 * Runs the script NAME.cjs and gives what it exports; the caller knows what that is. Where the executable has a code cache for it,
 * V8 takes the functions from there instead of reading the source; a cache of another V8 is passed over in silence.
 */
export function loadAsset(name: "cni" | "cli" | "agent" | "client"): unknown {
  const { getAssetKeys, getRawAsset } = process.getBuiltinModule("node:sea");
  const { Script } = process.getBuiltinModule("node:vm");
  const read = (asset: string): Buffer => Buffer.from(getRawAsset(asset));
  const cache = `${name}.cache`;
  const cachedData = getAssetKeys().includes(cache) ? { cachedData: read(cache) } : {};
  // The build writes ASCII alone, which needs no decoding.
  const script = new Script(read(`${name}.cjs`).toString("latin1"), { filename: `${name}.cjs`, ...cachedData });
  // The build wraps each script into a function of these parameters.
  const run = script.runInThisContext() as (require: (id: string) => unknown, module: { exports: unknown }, filename: string) => void;
  const module: { exports: unknown } = { exports: {} };
  run((id) => process.getBuiltinModule(id), module, process.execPath);
  return module.exports;
}
