import { errorCatalogue } from "../base/error-catalogue.ts";
import { PluginError } from "../base/errors.ts";
import type { ErrorCode } from "../base/errors.ts";
import { buildErrorObject } from "../cni/error-object.ts";
import { describeHresult, findHresult, formatHresult, listHresults, parseHresult } from "./hresults.ts";
import { refusal } from "./refusal.ts";

/** What a code means to the person who has to act on it. */
export interface Explanation {
  /** `0x803b0014`, or the name of an error of this plugin. */
  readonly code: string;
  readonly name: string;
  readonly kind: "hresult" | "error";
  /** False for an HRESULT that the table lacks: the texts are then general. */
  readonly isKnown: boolean;
  readonly cause: string;
  readonly remedy: string;
  /** Whether the same command can succeed later by itself; "depends" on the HRESULT that comes with it. */
  readonly retry: "yes" | "no" | "depends";
  /** The numbers a failed ADD answers with, ascending. */
  readonly cniCodes: readonly number[];
}

/** The number of the CNI specification for "try again later". */
const TRY_AGAIN = 11;

/**
 * What the codes in `text` mean, the most specific first: an HRESULT in any form that parseHresult reads or by its name, and the error
 * codes of this plugin. `text` is one code or a line of a log. Empty when it holds none.
 */
export function explainText(text: string): Explanation[] {
  const names = findNames(text);
  const number = parseHresult(text);
  const hresults = [...new Set([...(number === undefined ? [] : [number]), ...names.flatMap(findHresultByName)])];
  // Of a line with both, this error says no more than that there is an HRESULT.
  const errors = names.filter((name) => isErrorCode(name) && (name !== "HNS_REFUSED" || hresults.length === 0));
  return [...hresults.map(explainHresult), ...errors.filter(isErrorCode).map(explainError)];
}

/** `code` in either sign. */
export function explainHresult(code: number): Explanation {
  const { name, cause, remedy, retryable } = describeHresult(code);
  const error = refusal("call", code, undefined);
  return {
    code: formatHresult(code),
    name,
    kind: "hresult",
    isKnown: findHresult(code) !== undefined,
    cause,
    remedy,
    retry: retryable || error.retryable ? "yes" : "no",
    cniCodes: [numberOf(error)],
  };
}

export function explainError(code: ErrorCode): Explanation {
  const numbers = [true, false].map((retryable) => numberOf(new PluginError(code, { message: code }, { retryable })));
  const cniCodes = [...new Set(numbers)].sort((left, right) => left - right);
  const retry = cniCodes.length > 1 ? "depends" : cniCodes.includes(TRY_AGAIN) ? "yes" : "no";
  return { code, name: code, kind: "error", isKnown: true, ...errorCatalogue[code], retry, cniCodes };
}

/** Everything that can be explained: the plugin's errors, then the HRESULTs. */
export function listExplanations(): Explanation[] {
  const codes = Object.keys(errorCatalogue).filter(isErrorCode);
  return [...codes.map(explainError), ...listHresults().map(explainHresult)];
}

/** The words of `text` that look like names of codes, each once. A single word may be in any case. */
function findNames(text: string): string[] {
  const word = text.trim();
  const source = /\s/.test(word) ? word : word.toUpperCase();
  return [...new Set(source.match(/(?<!\w)[A-Z]+(?:_[A-Z0-9]+)*(?!\w)/g))];
}

function findHresultByName(name: string): number[] {
  return listHresults().filter((code) => describeHresult(code).name === name);
}

function isErrorCode(name: string): name is ErrorCode {
  return Object.hasOwn(errorCatalogue, name);
}

function numberOf(error: PluginError): number {
  return buildErrorObject(error, { command: "ADD", cniVersion: "1.1.0", stage: "handler" }).code;
}
