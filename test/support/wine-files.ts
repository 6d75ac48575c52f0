/** Copies of built files in the folders that Wine runs from. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

/** Copies the file into the folder unless the copy there is the same size and not older; `patch` changes the copy's bytes. */
export function installFile(source: string, folder: string, patch?: (content: Buffer) => void): string {
  const target = join(folder, basename(source));
  if (isFresh(source, target)) return target;
  mkdirSync(folder, { recursive: true });
  const draft = `${target}.${process.pid}`;
  if (patch === undefined) {
    copyFileSync(source, draft);
  } else {
    const content = readFileSync(source);
    patch(content);
    writeFileSync(draft, content, { mode: 0o755 });
  }
  renameSync(draft, target);
  return target;
}

function isFresh(source: string, target: string): boolean {
  if (!existsSync(target)) return false;
  const [from, to] = [statSync(source), statSync(target)];
  return from.size === to.size && from.mtimeMs <= to.mtimeMs;
}
