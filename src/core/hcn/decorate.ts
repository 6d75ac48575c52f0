import type { HcnBackend, HcnCallOptions } from "./backend.ts";

/** What stands around every call: `name` as the log has it; it must call `run` once at most and give its outcome on. */
export type AroundCall = <T>(name: string, run: () => Promise<T>, options: HcnCallOptions) => Promise<T>;

/** A backend with `around` around each of its calls. */
export function decorate(backend: HcnBackend, around: AroundCall): HcnBackend {
  return {
    enumerate: (kind, filter, options) => around(`enumerate ${kind}s`, () => backend.enumerate(kind, filter, options), options),
    open: (kind, id, options) => around(`open ${kind}`, () => backend.open(kind, id, options), options),
    createNetwork: (id, document, options) => around("create network", () => backend.createNetwork(id, document, options), options),
    createEndpoint: (network, id, document, options) =>
      around("create endpoint", () => backend.createEndpoint(network, id, document, options), options),
    query: (handle, options) => around(`query ${handle.kind}`, () => backend.query(handle, options), options),
    modify: (handle, request, options) => around(`modify ${handle.kind}`, () => backend.modify(handle, request, options), options),
    delete: (kind, id, options) => around(`delete ${kind}`, () => backend.delete(kind, id, options), options),
    close: (handle, options) => around(`close ${handle.kind}`, () => backend.close(handle, options), options),
    callV1: (request, options) => around(`HNSCall ${request.method}`, () => backend.callV1(request, options), options),
  };
}
