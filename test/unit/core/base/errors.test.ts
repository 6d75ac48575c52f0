import { PluginError, toPluginError } from "../../../../src/core/base/errors.ts";
import { isNotFound } from "../../../../src/core/hcn/hresults.ts";
import { errorCatalogue } from "../../../../src/core/base/error-catalogue.ts";

describe("PluginError", () => {
  test("carries code, data and cause, and is not retryable unless told", () => {
    const cause = new Error("below");
    const error = new PluginError("HNS_REFUSED", { message: "refused", hresult: 0x803b0001 }, { cause });
    expect(error).toMatchObject({
      name: "PluginError",
      message: "refused",
      code: "HNS_REFUSED",
      retryable: false,
      cause,
      data: { hresult: 0x803b0001 },
    });
    expect(new PluginError("HNS_TIMEOUT", { message: "late" }, { retryable: true }).retryable).toBe(true);
  });

  test("has no cause property when there is no cause", () => {
    expect(Object.hasOwn(new PluginError("INTERNAL", { message: "x" }), "cause")).toBe(false);
  });
});

describe("instanceof PluginError", () => {
  /** A class of the same name from another copy of the module, as the command line's bundle has it. */
  function loadCopy(): typeof PluginError {
    let copy: typeof PluginError | undefined;
    jest.isolateModules(() => {
      copy = jest.requireActual<{ PluginError: typeof PluginError }>("../../../../src/core/base/errors.ts").PluginError;
    });
    if (copy === undefined) throw new Error("not loaded");
    return copy;
  }

  test("knows an error of the program's other bundle, and its HRESULT", () => {
    const Copy = loadCopy();
    expect(Copy).not.toBe(PluginError);
    const foreign = new Copy("HNS_REFUSED", { message: "gone", hresult: 0x803b0002 });
    expect(foreign instanceof PluginError).toBe(true);
    expect(toPluginError(foreign)).toBe(foreign);
    expect(isNotFound(foreign)).toBe(true);
  });

  test.each([[undefined], [null], ["text"], [new Error("x")], [{ code: "INTERNAL" }]])("knows %p for none", (value) => {
    expect(value instanceof PluginError).toBe(false);
  });

  test("of a class below means that class alone", () => {
    class Narrow extends PluginError {}
    const [narrow, wide] = [new Narrow("INTERNAL", { message: "x" }), new PluginError("INTERNAL", { message: "x" })];
    expect([narrow instanceof Narrow, narrow instanceof PluginError, wide instanceof Narrow]).toEqual([true, true, false]);
  });
});

describe("toPluginError", () => {
  test("gives a PluginError back as it is", () => {
    const error = new PluginError("IO_FAILURE", { message: "x" });
    expect(toPluginError(error)).toBe(error);
  });

  test.each([
    [new TypeError("boom"), "boom"],
    ["text", "text"],
    [undefined, "undefined"],
    [null, "null"],
  ])("wraps %p as INTERNAL", (thrown, message) => {
    const error = toPluginError(thrown);
    expect(error).toMatchObject({ code: "INTERNAL", message, retryable: false });
  });
});

describe("errorCatalogue", () => {
  test.each(Object.entries(errorCatalogue))("%s has a cause and a remedy in whole sentences", (_code, entry) => {
    expect(entry.cause).toMatch(/^[A-Z].*\.$|^[A-Z].*\.$/s);
    expect(entry.remedy).toMatch(/^[A-Z].*\.$/s);
  });
});
