import { PluginError } from "../../../../src/core/base/errors.ts";
import {
  describeHresult,
  findHresult,
  formatHresult,
  hresultOf,
  isAddressInUse,
  isAlreadyAttached,
  isEndpointNotFound,
  isNetworkExists,
  isNetworkNotFound,
  isNotFound,
  isTransient,
  listHresults,
  parseHresult,
} from "../../../../src/core/hcn/hresults.ts";
import { hresultTexts } from "../../../../src/core/hcn/hresult-texts.ts";

const known = listHresults();

describe("the table", () => {
  test("has every code of HNS from 0x803b0001 to 0x803b0037", () => {
    const own = known.filter((code) => code >>> 16 === 0x803b);
    expect(own).toEqual(Array.from({ length: 0x37 }, (_, index) => 0x803b0001 + index));
  });

  test("has the Win32 errors that HNS passes on", () => {
    const wanted = [
      0x80070005, 0x80070006, 0x8007000e, 0x80070015, 0x80070032, 0x80070057, 0x800700b7, 0x8007041d, 0x80070490, 0x800706ba, 0x800706be,
      0x80071392,
    ];
    expect(wanted.filter((code) => findHresult(code) === undefined)).toEqual([]);
  });

  test("has texts for its codes and for no others", () => {
    expect(Object.keys(hresultTexts).map(Number)).toEqual(known);
  });

  test.each(known.map((code) => [formatHresult(code), code] as const))("%s has a name, a cause and a remedy", (_text, code) => {
    const entry = describeHresult(code);
    expect(entry.code).toBe(code);
    expect(entry.name).toMatch(/^(HCN|GCN|ERROR|RPC_S|E)_[A-Z_]+$/);
    expect(entry.cause).toMatch(/^[A-Z].*\.$/s);
    expect(entry.remedy).toMatch(/^[A-Z].*\.$/s);
  });

  test("gives no two codes one name", () => {
    expect(new Set(known.map((code) => describeHresult(code).name)).size).toBe(known.length);
  });
});

describe("describeHresult", () => {
  test("takes a signed code for the unsigned one", () => {
    expect(describeHresult(-2143617004)).toEqual(describeHresult(0x803b0014));
    expect(describeHresult(0x803b0014)).toMatchObject({ name: "HCN_E_ENDPOINT_ALREADY_ATTACHED", retryable: false });
  });

  test("says how to look up an unknown Win32 error", () => {
    const entry = describeHresult(0x800704d2);
    expect(entry).toMatchObject({ name: "UNKNOWN", retryable: false });
    expect(entry.remedy).toContain("net helpmsg 1234");
  });

  test("says of any other code that it is unknown", () => {
    expect(findHresult(0x803b0999)).toBeUndefined();
    expect(describeHresult(0x803b0999)).toMatchObject({ code: 0x803b0999, name: "UNKNOWN" });
  });
});

describe("formatHresult", () => {
  test.each([
    [0x803b0014, "0x803b0014"],
    [-2143617004, "0x803b0014"],
    [5, "0x00000005"],
    [0xffffffff, "0xffffffff"],
  ])("writes %d as %s", (code, text) => {
    expect(formatHresult(code)).toBe(text);
  });
});

describe("parseHresult", () => {
  test.each(known.map((code) => [formatHresult(code), code] as const))("reads %s in every spelling", (text, code) => {
    for (const spelling of [
      text,
      text.toUpperCase().replace("0X", "0x"),
      text.slice(2),
      String(code),
      String(code | 0),
      `0xffffffff${text.slice(2)}`,
    ]) {
      expect([spelling, parseHresult(spelling)]).toEqual([spelling, code]);
    }
  });

  test.each([
    [
      'hcnCreateEndpoint failed in Win32: An address provided is invalid or reserved. (0x803b002f) {"Success":false,"Error":"...","ErrorCode":2151350319}',
      0x803b002f,
    ],
    ['{"Success":false,"Error":"Element not found. ","ErrorCode":2147943568}', 0x80070490],
    ["HNS failed with error : Element not found. (0x490)", 0x80070490],
    ["The object already exists. (0x1392)", 0x80071392],
    ["winapi error #2151350292.", 0x803b0014],
    ["Exception.HResult=-2143617023, network gone", 0x803b0001],
    ["Result code = '0x80070015'", 0x80070015],
    ["HRESULT: 803B0014", 0x803b0014],
    ["flags=0x2 handle=0x80000000 result 0x803b001b", 0x803b001b],
    ["sandbox 803b0014-9dad-11d1-80b4-00c04fd430c8 failed with 0x803b0002", 0x803b0002],
    ["0x803b0999: something newer", 0x803b0999],
    ["0x4d2", 0x800704d2],
  ])("finds the code in %j", (line, code) => {
    expect(parseHresult(line)).toBe(code);
  });

  test.each([
    [""],
    ["0"],
    ["0x0"],
    ["-5"],
    ["no code here"],
    ["endpoint 803b0014-9dad-11d1-80b4-00c04fd430c8 created"],
    ["container 803b0014803b0014803b0014803b0014803b0014803b0014803b0014803b0014"],
    ["time=1731940000 took 250 ms"],
    ["2099999999.123 pid 4660"],
    ["commit deadbeef flags 0x1234"],
    ["99999999999"],
    ["4294967296"],
    ["-2147483649"],
  ])("finds none in %j", (line) => {
    expect(parseHresult(line)).toBeUndefined();
  });
});

describe("predicates", () => {
  const holds = (predicate: (value: unknown) => boolean): string[] => known.filter((code) => predicate(code)).map(formatHresult);

  test.each([
    ["isNetworkNotFound", isNetworkNotFound, ["0x803b0001"]],
    ["isEndpointNotFound", isEndpointNotFound, ["0x803b0002"]],
    ["isNotFound", isNotFound, ["0x80070490", "0x803b0001", "0x803b0002"]],
    ["isAlreadyAttached", isAlreadyAttached, ["0x803b0014"]],
    ["isAddressInUse", isAddressInUse, ["0x80071392", "0x803b002f"]],
    ["isNetworkExists", isNetworkExists, ["0x803b0010"]],
    [
      "isTransient",
      isTransient,
      [
        "0x80070015",
        "0x800700aa",
        "0x8007041d",
        "0x80070425",
        "0x80070426",
        "0x800705aa",
        "0x800705b4",
        "0x800706ba",
        "0x800706bb",
        "0x800706be",
        "0x800706bf",
        "0x803b0020",
        "0x803b0025",
      ],
    ],
  ])("%s holds for its codes alone", (_name, predicate, codes) => {
    expect(holds(predicate).sort()).toEqual([...codes].sort());
  });

  test("take a PluginError with the HRESULT, and a signed code", () => {
    const refused = new PluginError("HNS_REFUSED", { message: "gone", hresult: -2143617023 });
    expect(hresultOf(refused)).toBe(0x803b0001);
    expect(isNotFound(refused)).toBe(true);
    expect(isNotFound(-2143617023)).toBe(true);
  });

  test.each([
    [undefined],
    [null],
    ["0x803b0001"],
    [new Error("0x803b0001")],
    [new PluginError("HNS_TIMEOUT", { message: "0x803b0001" })],
    [{ data: { hresult: 0x803b0001 } }],
  ])("never read the text of an error, nor foreign objects: %p", (value) => {
    expect([isNotFound(value), isTransient(value), isAddressInUse(value)]).toEqual([false, false, false]);
  });

  test("a transient code is what the table calls retryable", () => {
    for (const code of known) expect([code, describeHresult(code).retryable]).toEqual([code, isTransient(code)]);
  });
});
