import { findAddressWithPrefix } from "../../../src/core/base/ip.ts";
import { readCommand } from "../../../src/core/cni/environment.ts";
import { parseAnyResult } from "../../../src/core/cni/result-parsing.ts";
import { findVersion, SUPPORTED_VERSIONS } from "../../../src/core/cni/version.ts";
import type { FuzzCall } from "./calls.ts";

/** What a call gave back. */
export interface Answer {
  /** Each write to stdout, or all of it as one text. */
  readonly stdout: readonly string[];
  readonly exitCode: number | null;
  readonly stderr: string;
}

const ERROR_KEYS = ["cniVersion", "code", "msg", "details"];

/** Everything about the answer that the CNI specification does not allow; empty when it is right. */
export function findProblems(call: FuzzCall, answer: Answer): string[] {
  const problems = answer.stderr === "" ? [] : [`stderr holds ${answer.stderr}`];
  if (answer.stdout.length > 1) problems.push(`stdout was written ${answer.stdout.length} times`);
  const [text] = answer.stdout;
  const document = parse(text ?? "");
  if (text !== undefined && document === undefined) return [...problems, `stdout is no JSON object: ${text.slice(0, 200)}`];
  if (answer.exitCode === 1) return [...problems, ...findErrorProblems(document)];
  if (answer.exitCode === 0) return [...problems, ...findSuccessProblems(call, document)];
  return [...problems, `the exit code is ${answer.exitCode}`];
}

function findErrorProblems(document: Record<string, unknown> | undefined): string[] {
  if (document === undefined) return ["it failed without a word"];
  const { cniVersion, code, msg, details } = document;
  const strangers = Object.keys(document).filter((key) => !ERROR_KEYS.includes(key));
  return [
    ...strangers.map((key) => `the error has a field ${key}`),
    ...(SUPPORTED_VERSIONS.some((version) => version === cniVersion) ? [] : [`the error has the version ${String(cniVersion)}`]),
    ...(typeof code === "number" && Number.isInteger(code) && code > 0 ? [] : [`the error has the code ${String(code)}`]),
    ...(code === 999 ? [`a fault of the program: ${String(msg)} ${String(details)}`] : []),
    ...(isLine(msg) ? [] : ["the message is no line of text"]),
    ...(details === undefined || isLine(details) ? [] : ["the details are no line of text"]),
  ];
}

function isLine(text: unknown): boolean {
  return typeof text === "string" && text !== "" && !text.includes("\n");
}

function findSuccessProblems({ env }: FuzzCall, document: Record<string, unknown> | undefined): string[] {
  const command = readCommand(env);
  switch (command) {
    case "ADD":
      return document === undefined ? ["ADD gave no result"] : findResultProblems(document);
    case "VERSION":
      return Array.isArray(document?.["supportedVersions"]) ? [] : ["VERSION did not name the versions"];
    default:
      return document === undefined ? [] : [`${command} succeeded, and not silently`];
  }
}

function findResultProblems(document: Record<string, unknown>): string[] {
  const version = findVersion(String(document["cniVersion"]));
  if (version === undefined) return [`the result has the version ${String(document["cniVersion"])}`];
  const { ips, interfaces } = parseAnyResult(document, version);
  const first = ips[0];
  if (first === undefined || ips.length !== 1) return [`the result has ${ips.length} addresses`];
  return [
    ...(findAddressWithPrefix(first.address) === undefined ? [`the result has the address ${first.address}`] : []),
    ...(first.interface === undefined || interfaces[first.interface] !== undefined ? [] : ["the address belongs to no interface"]),
  ];
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
