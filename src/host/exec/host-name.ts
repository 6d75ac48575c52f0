/** The name of this machine. node:os is asked for here alone, when the name is wanted: an import would load it for every call. */
export function readHostName(): string {
  return process.getBuiltinModule("node:os").hostname();
}
