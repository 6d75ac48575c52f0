import { PluginError, toPluginError } from "../../../../src/core/base/errors.ts";
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

test("an error of one script of the executable is known in another, which has the class anew", () => {
  jest.isolateModules(() => {
    // The same module, loaded a second time.
    const other = jest.requireActual<{ PluginError: typeof PluginError }>("../../../../src/core/base/errors.ts");
    expect(other.PluginError).not.toBe(PluginError);
    expect(new other.PluginError("HNS_TIMEOUT", { message: "x" })).toBeInstanceOf(PluginError);
    expect(toPluginError(new other.PluginError("HNS_TIMEOUT", { message: "x" })).code).toBe("HNS_TIMEOUT");
  });
  for (const value of [new Error("x"), null, undefined, "PluginError", { code: "HNS_TIMEOUT" }])
    expect(value).not.toBeInstanceOf(PluginError);
});

test("an error is no instance of a subclass for being a PluginError", () => {
  class Narrow extends PluginError {}
  const [wide, narrow] = [PluginError, Narrow].map((Class) => new Class("INTERNAL", { message: "x" }));
  expect(narrow).toBeInstanceOf(Narrow);
  expect(narrow).toBeInstanceOf(PluginError);
  expect(wide).not.toBeInstanceOf(Narrow);
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
