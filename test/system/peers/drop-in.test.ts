/**
 * Promise of docs/drop-in.md: a configuration of win-bridge or win-overlay works with our program after a change of `type` alone, and what a pod
 * then gets differs in the fields that the page names and in no other.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPeers, peersReason } from "../../peers/build.ts";
import { compareFields, type PodLife, runLife } from "../../peers/drop-in.ts";
import { DROP_IN_CONFS, type DropInConf, POLICY_CONFS } from "../../peers/drop-in-confs.ts";
import { expectedDifferences, policiesReason } from "../../peers/drop-in-differences.ts";
import { type RuntimeHost, startWineHost } from "../../peers/runtime-host.ts";
import { describeUnless } from "../../support/skip.ts";
import { wineReason } from "../../support/wine.ts";
import { containing } from "../../unit/core/cni/matchers.ts";

jest.setTimeout(120_000);

const reason = wineReason() ?? peersReason();

describeUnless(reason, "our program in a reference plugin's place", () => {
  let host: RuntimeHost;

  beforeAll(async () => {
    host = await startWineHost([findPeers().windows]);
  }, 240_000);
  afterAll(() => host.close());

  const run = async (conf: DropInConf, type: string): Promise<PodLife> => {
    const folder = mkdtempSync(join(tmpdir(), "hns-cni-drop-in-"));
    try {
      return await runLife(host, conf, { type, folder });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };

  const expectSameLife = async (conf: DropInConf): Promise<void> => {
    const theirs = await run(conf, conf.plugin);
    const ours = await run(conf, "hns-cni");
    expect(compareFields(theirs.fields, ours.fields)).toEqual(expectedDifferences(conf));
    const check = conf.cniVersion === "0.3.0" ? { error: { code: 0, message: containing("does not support the CHECK command") } } : {};
    const end = { check, del: {}, left: [] };
    expect(theirs).toMatchObject(end);
    expect(ours).toMatchObject({ ...end, openHandles: 0 });
    expectFirstAdd(conf, theirs, ours);
  };

  /** flannel's range has no start: host-local then gives the node's own address first, and the next pod gets the next one. */
  const expectFirstAdd = ({ title }: DropInConf, theirs: PodLife, ours: PodLife): void => {
    const isTaken = title.startsWith("flannel host-gw");
    expect(theirs.failedAdds).toEqual(isTaken ? [containing("0x1392")] : []);
    expect(ours.failedAdds).toEqual(isTaken ? [containing('"rangeStart": "10.244.3.3"')] : []);
  };

  it.each(DROP_IN_CONFS)("$title: ADD, CHECK and DEL, with the differences that the page names", expectSameLife);

  describeUnless(policiesReason(), "our program in a reference plugin's place: policies", () => {
    it.each(POLICY_CONFS)("$title: ADD, CHECK and DEL, with the differences that the page names", expectSameLife);
  });
});
