import { parseConfig, readStatedVersion } from "./request.ts";
import { buildVersionDocument } from "./version.ts";

/** The answer to VERSION. It stands apart from the other commands so that a program can give it without loading them. Never throws. */
export function answerVersion(readStdin: () => string): object {
  return buildVersionDocument(findStatedVersion(readStdin));
}

/** VERSION must answer even without a usable stdin. */
function findStatedVersion(readStdin: () => string): string | undefined {
  try {
    return readStatedVersion(parseConfig(readStdin()));
  } catch {
    return undefined;
  }
}
