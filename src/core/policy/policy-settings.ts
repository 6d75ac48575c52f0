import { isJsonObject } from "../cni/json.ts";
import type { PolicyDocument } from "../hcn/documents.ts";

/** A policy's settings to look into. */
export function settingsOf({ Settings }: PolicyDocument): Readonly<Record<string, unknown>> {
  return isJsonObject(Settings) ? Settings : {};
}

/** The texts of a list in the settings; absent is empty. */
export function textsIn(policy: PolicyDocument, field: string): string[] {
  const value = settingsOf(policy)[field];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

export function textIn(policy: PolicyDocument, field: string): string {
  const value = settingsOf(policy)[field];
  return typeof value === "string" ? value : "";
}

export function numberIn(policy: PolicyDocument, field: string): number {
  const value = settingsOf(policy)[field];
  return typeof value === "number" ? value : 0;
}

/** Whether two policies say the same, whatever the order of their fields. */
export function samePolicy(left: PolicyDocument, right: PolicyDocument): boolean {
  return canonical(left) === canonical(right);
}

/** The policies without those that an earlier one says already. */
export function dropRepeated(policies: readonly PolicyDocument[]): PolicyDocument[] {
  const seen = new Set<string>();
  return policies.filter((policy) => {
    const text = canonical(policy);
    return seen.has(text) ? false : seen.add(text);
  });
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    isJsonObject(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  );
}
