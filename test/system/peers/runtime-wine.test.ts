/** The program for Windows under libcni and go-cni for Windows, all of them under Wine. */
import { peersReason } from "../../peers/build.ts";
import { startWineHost, type RuntimeHost } from "../../peers/runtime-host.ts";
import { describeGoCni, describeLibcni } from "../../peers/runtime-suite.ts";
import { describeUnless } from "../../support/skip.ts";
import { wineReason } from "../../support/wine.ts";

describeUnless(wineReason() ?? peersReason(), "container runtimes on Windows", () => {
  let host: RuntimeHost | undefined;
  const getHost = (): RuntimeHost => {
    if (host === undefined) throw new Error("the host has not started");
    return host;
  };

  beforeAll(async () => {
    host = await startWineHost();
  }, 240_000);
  afterAll(() => host?.close());

  describeLibcni(getHost);
  describeGoCni(getHost);
});
