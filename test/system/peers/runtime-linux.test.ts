/** The program for Linux under libcni and go-cni. */
import { accessSync, constants, existsSync, rmdirSync } from "node:fs";
import { peersReason } from "../../peers/build.ts";
import { startLinuxHost, type RuntimeHost } from "../../peers/runtime-host.ts";
import { describeGoCni, describeLibcni } from "../../peers/runtime-suite.ts";
import { packagedReason } from "../../support/packaged.ts";
import { describeUnless } from "../../support/skip.ts";

/** go-cni has no option for the folder of its results. */
const goCniCache = ["/var/lib/cni", "/var/lib/cni/results"];
const reason = packagedReason() ?? peersReason();

describeUnless(reason, "container runtimes on Linux", () => {
  let host: RuntimeHost | undefined;
  const getHost = (): RuntimeHost => {
    if (host === undefined) throw new Error("the host has not started");
    return host;
  };

  beforeAll(async () => {
    host = await startLinuxHost();
  });
  afterAll(() => host?.close());

  describeLibcni(getHost);

  describeUnless(goCniReason(), "container runtimes on Linux: containerd", () => {
    const absent = goCniCache.filter((folder) => !existsSync(folder));
    afterAll(() => absent.reverse().forEach(removeIfEmpty));
    describeGoCni(getHost);
  });
});

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    return; // another suite, or a runtime of this machine, has its results there
  }
}

function goCniReason(): string | undefined {
  const folder = goCniCache.find((path) => existsSync(path)) ?? "/var/lib";
  try {
    accessSync(folder, constants.W_OK);
    return undefined;
  } catch {
    return `go-cni keeps results in ${folder}, where this user may not write`;
  }
}
