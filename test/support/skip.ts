/** Suites that cannot run on this machine. The reason goes into build/skips.jsonl, and `npm test` prints it at its end. */
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "./paths.ts";

export interface Skip {
  readonly suite: string;
  readonly reason: string;
}

export const skipFile = join(build, "skips.jsonl");

/** Like `describe`; with a reason the suite is skipped and the reason recorded. */
export function describeUnless(reason: string | undefined, suite: string, body: () => void): void {
  if (reason === undefined) {
    describe(suite, body);
    return;
  }
  recordSkip({ suite, reason });
  describe.skip(suite, body);
}

export function recordSkip(skip: Skip): void {
  mkdirSync(build, { recursive: true });
  // One short append: workers write at the same time.
  appendFileSync(skipFile, `${JSON.stringify(skip)}\n`);
}
