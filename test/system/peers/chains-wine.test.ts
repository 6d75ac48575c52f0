/** The program for Windows in a list with other plugins, under libcni for Windows; all of them under Wine. Linux has every version. */
import { join } from "node:path";
import { findPeers, peersReason } from "../../peers/build.ts";
import { describeChains } from "../../peers/chain-suite.ts";
import { type RuntimeHost, startWineHost } from "../../peers/runtime-host.ts";
import { describeUnless } from "../../support/skip.ts";
import { wineReason } from "../../support/wine.ts";

describeUnless(wineReason() ?? peersReason(), "a list of plugins on Windows", () => {
  let host: RuntimeHost;

  beforeAll(async () => {
    host = await startWineHost([join(findPeers().windows, "chain")]);
  }, 240_000);
  afterAll(() => host.close());

  describeChains(() => host, ["1.1.0"]);
});
