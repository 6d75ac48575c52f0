import { explain } from "../../../src/cli/explain.ts";
import { errorCatalogue } from "../../../src/core/base/error-catalogue.ts";
import { explainText, listExplanations } from "../../../src/core/hcn/explain.ts";
import { listHresults } from "../../../src/core/hcn/hresults.ts";
import { FakeWorld } from "./fake-world.ts";

const codesIn = (text: string): string[] => explainText(text).map(({ code }) => code);

describe("the codes in a text", () => {
  it.each([
    ["hexadecimal", "0x803b0014", ["0x803b0014"]],
    ["hexadecimal without 0x", "803B0014", ["0x803b0014"]],
    ["decimal", "2151350292", ["0x803b0014"]],
    ["negative", "-2143617004", ["0x803b0014"]],
    ["the name of an HRESULT", "HCN_E_ENDPOINT_ALREADY_ATTACHED", ["0x803b0014"]],
    ["the name of an error", "HNS_TIMEOUT", ["HNS_TIMEOUT"]],
    ["a name in another case", "hns_timeout", ["HNS_TIMEOUT"]],
    [
      "a line of a runtime's log",
      'plugin type="hns-cni" failed (add): HNS refused "HcnCreateEndpoint" with 0x80071392 (x): y',
      ["0x80071392"],
    ],
    ["a line of our log", '{"level":"error","error":{"code":"HNS_REFUSED","message":"no","hresult":"0x803b0014"}}', ["0x803b0014"]],
    ["a line with an error alone", '{"level":"error","error":{"code":"ADDRESS_EXHAUSTED","message":"no"}}', ["ADDRESS_EXHAUSTED"]],
    ["both", "HNS_TIMEOUT after 0x803b0014", ["0x803b0014", "HNS_TIMEOUT"]],
    ["the refusal without its HRESULT", "HNS_REFUSED", ["HNS_REFUSED"]],
    ["none", "everything is fine with 10.244.3.7 and eth0", []],
    ["an inherited property", "constructor toString __proto__", []],
  ])("are found: %s", (_name, text, codes) => expect(codesIn(text)).toEqual(codes));

  it("come with the CNI code and the worth of a retry", () => {
    const brief = (text: string): unknown[] => explainText(text).map(({ cniCodes, retry }) => [...cniCodes, retry]);
    expect(brief("0x803b0014")).toEqual([[101, "no"]]);
    expect(brief("0x800706ba")).toEqual([[11, "yes"]]);
    expect(brief("HNS_REFUSED")).toEqual([[11, 101, "depends"]]);
    expect(brief("INVALID_CONFIG")).toEqual([[7, "no"]]);
  });

  it("that are HRESULTs of no table get general texts", () => {
    expect(explainText("0x803bffff")).toMatchObject([{ code: "0x803bffff", isKnown: false, name: "UNKNOWN" }]);
  });

  it("are listed whole", () => {
    const list = listExplanations();
    expect(list).toHaveLength(Object.keys(errorCatalogue).length + listHresults().length);
    expect(list.filter(({ cause, remedy }) => cause === "" || remedy === "")).toEqual([]);
  });
});

describe("explain", () => {
  const run = (codes: string[], files = {}, output: "text" | "json" | "wide" = "text"): { code: number; world: FakeWorld } => {
    const world = new FakeWorld(files);
    return { code: explain(world, { codes, list: false, output }), world };
  };

  it("tells cause, remedy, retry and CNI code", () => {
    const { code, world } = run(["0x803b0014"]);
    expect(code).toBe(0);
    expect(world.out).toMatch(
      /^0x803b0014 HCN_E_ENDPOINT_ALREADY_ATTACHED\n {2}Cause: .+\n {2}Remedy: .+\n {2}Retry: .+\n {2}CNI code: 101\n$/,
    );
  });

  it("takes several codes, and the words of one line", () => {
    expect(JSON.parse(run(["0x803b0014", "HNS_TIMEOUT", "0x803b0014"], {}, "json").world.out)).toMatchObject([
      { code: "0x803b0014" },
      { code: "HNS_TIMEOUT" },
    ]);
    expect(JSON.parse(run(["failed", "with", "-2143617004", "--again"], {}, "json").world.out)).toMatchObject([{ code: "0x803b0014" }]);
  });

  it("reads lines from stdin, and explains each code once", () => {
    const { code, world } = run(["-"], { "-": "fine\nHNS_TIMEOUT here\n0x803b0014\nHNS_TIMEOUT again\n" }, "json");
    expect(code).toBe(0);
    expect(JSON.parse(world.out)).toMatchObject([{ code: "HNS_TIMEOUT" }, { code: "0x803b0014" }]);
  });

  it("fails for a code it does not know, with what can be said of it", () => {
    const { code, world } = run(["0x803bffff"]);
    expect(code).toBe(1);
    expect(world.out).toContain("0x803bffff UNKNOWN");
    expect(world.error).toBe("hns-cni: unknown code 0x803bffff\n");
  });

  it("says what it looks for when there is none", () => {
    expect(() => run(["bogus"])).toThrow('cannot explain "bogus": it holds no code that is known here');
    expect(() => run([])).toThrow("no code was given");
    expect(() => run(["-"], { "-": "\n" })).toThrow("cannot explain standard input");
    expect(() => run(["-"])).toThrow("cannot read standard input: ENOENT");
  });

  it("prints tables with columns that fit", () => {
    const [head, row] = run(["HNS_TIMEOUT"], {}, "wide").world.out.split("\n");
    expect(head?.indexOf("REMEDY")).toBe(row?.indexOf(errorCatalogue.HNS_TIMEOUT.remedy));
  });
});
