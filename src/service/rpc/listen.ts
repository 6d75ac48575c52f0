/** Where the server listens: a Unix socket that only this user reaches, or a Windows pipe; one that lives is never replaced. */
import { chmodSync, linkSync, lstatSync, mkdirSync, renameSync, rmSync, type Stats } from "node:fs";
import { connect, type Server } from "node:net";
import { dirname } from "node:path";
import { PluginError } from "../../core/base/errors.ts";

/**
 * Makes `server` listen at `path`. On Linux its folder is made with mode 0700 when absent; the socket gets 0600, and that of a server
 * that died is removed first. Throws IO_FAILURE when another server answers there, or when the place is not ours.
 */
export async function listenAt(server: Server, path: string): Promise<void> {
  const isPipe = path.startsWith("\\\\");
  if (!isPipe) prepareFolder(dirname(path));
  if (isPipe || findEntry(path) !== undefined) await removeStale(path, isPipe);
  await new Promise<void>((resolve, reject) => {
    const fail = (cause: Error): void => {
      reject(failure(`cannot listen at ${path}: ${cause.message}`, "see that no other agent runs", cause));
    };
    server.once("error", fail);
    server.listen(path, () => {
      server.off("error", fail);
      resolve();
    });
  });
  // Until now the folder alone kept others out.
  if (!isPipe) chmodSync(path, 0o600);
}

/** A folder that exists is never changed: it may be one that others need as it is. */
function prepareFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  const isOurs = found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0;
  if (!isOurs) throw failure(`${folder} is no folder of this user alone`, "give its owner mode 0700, or choose another folder");
}

async function removeStale(path: string, isPipe: boolean): Promise<void> {
  if (!isPipe && findEntry(path)?.isSocket() !== true) throw failure(`${path} is no socket`, "remove it, or choose another path");
  if (await isAnswered(path)) throw occupied(path);
  if (isPipe) return; // a pipe ends with its server
  // Another server may have taken the place since: what is removed is looked at once more under a name that nobody else uses.
  const aside = `${path}.${process.pid}`;
  renameSync(path, aside);
  try {
    if (!(await isAnswered(aside))) return;
    linkSync(aside, path);
    throw occupied(path);
  } finally {
    rmSync(aside, { force: true });
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" || error.code === "ENOENT") resolve(false);
      else reject(failure(`cannot find out whether a server answers at ${path}: ${error.message}`, "see that no other agent runs", error));
    });
  });
}

function findEntry(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function occupied(path: string): PluginError {
  return failure(`another server answers at ${path}`, "stop the other agent first");
}

function failure(message: string, remedy: string, cause?: Error): PluginError {
  return new PluginError("IO_FAILURE", { message, remedy }, cause === undefined ? {} : { cause });
}
