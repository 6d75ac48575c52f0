/** The program for Linux in a list with other plugins, under libcni (point 32 of docs/conformance.md). */
import { join } from "node:path";
import { findPeers, peersReason } from "../../peers/build.ts";
import { describeChains } from "../../peers/chain-suite.ts";
import { startLinuxHost, type RuntimeHost } from "../../peers/runtime-host.ts";
import { packagedReason } from "../../support/packaged.ts";
import { describeUnless } from "../../support/skip.ts";

describeUnless(packagedReason() ?? peersReason(), "a list of plugins on Linux", () => {
  let host: RuntimeHost;

  beforeAll(async () => {
    host = await startLinuxHost([join(findPeers().linux, "chain")]);
  });
  afterAll(() => host.close());

  describeChains(() => host);
});
