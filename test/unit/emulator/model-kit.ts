import { HnsModel, type CallResult } from "../../emulator/model/model.ts";
import type { JsonObject } from "../../emulator/model/json.ts";
import type { Settings } from "../../emulator/model/world.ts";

export const ZERO = "00000000-0000-0000-0000-000000000000";
export const SUBNET = { IpAddressPrefix: "10.244.3.0/24", Routes: [{ NextHop: "10.244.3.1", DestinationPrefix: "0.0.0.0/0" }] };
export const L2_NETWORK = { Name: "l2", Type: "L2Bridge", Ipams: [{ Type: "Static", Subnets: [SUBNET] }] };
const PID = 7;

/** A model with a counter for chance and a clock that a test moves, and its calls with documents as objects. */
export class ModelKit {
  readonly model: HnsModel;
  time = 0;
  #guids = 0;

  constructor(settings: Partial<Settings> = {}) {
    const guid = (): string => `f0000000-0000-4000-8000-${String((this.#guids += 1)).padStart(12, "0")}`;
    this.model = new HnsModel({ sources: { now: () => this.time, guid }, settings });
  }

  call(name: string, ...args: (string | number | object | null)[]): CallResult {
    const texts = args.map((arg) => (arg === null ? null : typeof arg === "object" ? JSON.stringify(arg) : String(arg)));
    return this.model.call(name, texts, { pid: PID });
  }

  /** The HRESULT of a call. */
  code(name: string, ...args: (string | number | object | null)[]): number {
    return this.call(name, ...args).hresult;
  }

  /** The id of the object behind a fresh handle. */
  idOf(result: CallResult): string {
    const entry = this.model.handles.list().find(({ handle }) => handle === result.handle);
    if (entry === undefined) throw new Error(`no handle: 0x${result.hresult.toString(16)}`);
    return entry.id;
  }

  network(document: object = L2_NETWORK): number {
    return this.need(this.call("HcnCreateNetwork", ZERO, document)).handle;
  }

  endpoint(network: number, document: object = {}): { handle: number; id: string } {
    const result = this.need(this.call("HcnCreateEndpoint", network, ZERO, document));
    return { handle: result.handle, id: this.idOf(result) };
  }

  namespace(): { handle: number; id: string } {
    const result = this.need(this.call("HcnCreateNamespace", ZERO, {}));
    return { handle: result.handle, id: this.idOf(result) };
  }

  join(namespace: number, endpoint: string, requestType = "Add"): number {
    return this.code("HcnModifyNamespace", namespace, {
      ResourceType: "Endpoint",
      RequestType: requestType,
      Settings: { EndpointId: endpoint },
    });
  }

  query(kind: string, handle: number, query: object | null = null): JsonObject {
    return JSON.parse(this.need(this.call(`HcnQuery${kind}Properties`, handle, query)).output ?? "") as JsonObject;
  }

  enumerate(kind: string, filter?: object): string[] {
    const query = filter === undefined ? "" : { SchemaVersion: { Major: 2, Minor: 0 }, Flags: 0, Filter: JSON.stringify(filter) };
    return JSON.parse(this.need(this.call(`HcnEnumerate${kind}`, query)).output ?? "") as string[];
  }

  /** A version 1 call: its envelope. */
  v1(method: string, path: string, body: object | string = ""): { Success: boolean; Output?: JsonObject; ErrorCode?: number } {
    return JSON.parse(this.call("HNSCall", method, path, body).output ?? "") as {
      Success: boolean;
      Output?: JsonObject;
      ErrorCode?: number;
    };
  }

  need(result: CallResult): CallResult {
    if (result.hresult !== 0) throw new Error(`refused: ${result.errorRecord ?? ""} 0x${result.hresult.toString(16)}`);
    return result;
  }
}
