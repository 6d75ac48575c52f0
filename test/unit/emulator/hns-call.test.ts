import type { JsonObject } from "../../emulator/model/json.ts";
import type { CallResult } from "../../emulator/model/model.ts";
import { HRESULT } from "../../emulator/model/hresult.ts";
import { L2_NETWORK, ModelKit, ZERO } from "./model-kit.ts";

const HOST = { SystemType: "Host", CompartmentId: 1 };

describe("HNSCall", () => {
  test("answers the version, by default and as set", () => {
    expect(new ModelKit().v1("GET", "/globals/version")).toEqual({ Success: true, Output: { Major: 15, Minor: 2 } });
    expect(new ModelKit({ version: { Major: 9, Minor: 5 } }).v1("GET", "/globals/version/").Output).toEqual({ Major: 9, Minor: 5 });
  });

  test("makes the same networks and endpoints as version 2", () => {
    const kit = new ModelKit();
    const network = {
      Name: "l2",
      Type: "L2Bridge",
      Subnets: [{ AddressPrefix: "10.244.3.0/24", GatewayAddress: "10.244.3.1", Policies: [{ Type: "VSID", VSID: 4096 }] }],
    };
    const made = kit.v1("POST", "/networks", network).Output ?? {};
    expect(made).toMatchObject({ Name: "l2", Type: "L2Bridge", Subnets: network.Subnets, ManagementIP: "10.0.0.4" });
    const endpoint = {
      Name: "cbr0",
      VirtualNetwork: made["ID"] ?? "",
      IPAddress: "10.244.3.2",
      GatewayAddress: "0.0.0.0",
      DNSServerList: "10.96.0.10,10.96.0.11",
      Policies: [
        { Type: "OutBoundNAT", ExceptionList: ["10.0.0.0/8"] },
        { Type: "ROUTE", DestinationPrefix: "10.96.0.0/12", NeedEncap: true },
      ],
    };
    const result = kit.v1("POST", "/endpoints/", endpoint);
    expect(result.Output).toMatchObject(endpoint);
    const opened = kit.need(kit.call("HcnOpenEndpoint", idOf(result.Output)));
    expect(kit.query("Endpoint", opened.handle)).toMatchObject({
      Policies: [
        { Type: "OutBoundNAT", Settings: { Exceptions: ["10.0.0.0/8"] } },
        { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NeedEncap: true } },
      ],
      Dns: { ServerList: ["10.96.0.10", "10.96.0.11"] },
    });
    expect(kit.v1("DELETE", `/endpoints/${idOf(result.Output)}`).Success).toBe(true);
    expect(kit.v1("DELETE", `/networks/${idOf(made)}`).Success).toBe(true);
    expect(kit.v1("GET", "/networks").Output).toEqual([]);
  });

  test("attaches an endpoint to the host once and detaches it", () => {
    const kit = new ModelKit();
    const { id } = kit.endpoint(kit.network());
    expect(kit.v1("POST", `/endpoints/${id}/attach`, HOST).Output).toMatchObject({ State: 2 });
    expect(kit.v1("POST", `/endpoints/${id}/attach`, HOST)).toMatchObject({ Success: false, ErrorCode: HRESULT.ENDPOINT_ALREADY_ATTACHED });
    expect(kit.join(kit.namespace().handle, id)).toBe(HRESULT.ENDPOINT_ALREADY_ATTACHED);
    expect(kit.v1("POST", `/endpoints/${id}/detach`, { SystemType: "Host" }).Output).toMatchObject({ State: 1 });
    expect(kit.v1("POST", `/endpoints/${id}/detach`, { SystemType: "Host" })).toMatchObject({ ErrorCode: HRESULT.ELEMENT_NOT_FOUND });
  });

  test("refuses inside the envelope with S_OK, or with the HRESULT as newer builds do", () => {
    const call = (kit: ModelKit): CallResult => kit.call("HNSCall", "GET", `/endpoints/${ZERO}`, "");
    const [usual, newer] = [call(new ModelKit()), call(new ModelKit({ hnsCallFails: true }))];
    expect(usual).toMatchObject({ hresult: 0, handle: 0, errorRecord: null });
    expect(newer).toMatchObject({ hresult: HRESULT.ENDPOINT_NOT_FOUND, handle: 0, errorRecord: null });
    for (const { output } of [usual, newer])
      expect(JSON.parse(output ?? "")).toMatchObject({ Success: false, ErrorCode: HRESULT.ENDPOINT_NOT_FOUND });
  });

  test("refuses what it does not know", () => {
    const kit = new ModelKit();
    expect(kit.v1("GET", "/clouds")).toMatchObject({ ErrorCode: HRESULT.REQUEST_UNSUPPORTED });
    expect(kit.v1("POST", "/networks", "{")).toMatchObject({ ErrorCode: HRESULT.INVALID_JSON });
    expect(kit.v1("GET", "/networks/nonsense")).toMatchObject({ ErrorCode: HRESULT.INVALID_ARGUMENT });
    expect(kit.v1("POST", "/endpoints", { VirtualNetwork: L2_NETWORK.Name })).toMatchObject({ ErrorCode: HRESULT.INVALID_ARGUMENT });
  });

  test.each(["/activities", "/plugins", "/portpools", "/policylists", "/namespaces", "/endpointstats", "/endpointaddresses"])(
    "lists %s of an empty machine",
    (path) => {
      expect(new ModelKit().v1("GET", path)).toEqual({ Success: true, Output: [] });
    },
  );
});

function idOf(document: JsonObject | undefined): string {
  const id = document?.["ID"];
  return typeof id === "string" ? id : "";
}
