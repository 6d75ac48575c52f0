/** See README.md here: the cases are the contract of the program, written by hand. */
import { CrashNode } from "../../support/crash-node.ts";
import { runGolden } from "../../support/golden.ts";
import { packagedReason } from "../../support/packaged.ts";
import { describeUnless } from "../../support/skip.ts";
import { ADD_CASES } from "./cases/add.ts";
import { CHECK_CASES, DEL_CASES } from "./cases/del-check.ts";
import { GC_CASES, STATUS_CASES, VERSION_CASES } from "./cases/gc-status-version.ts";

describeUnless(packagedReason(), "golden", () => {
  let node: CrashNode;
  beforeAll(async () => {
    node = await CrashNode.start();
  });
  afterAll(() => node.close());

  test.each([...ADD_CASES, ...DEL_CASES, ...CHECK_CASES, ...GC_CASES, ...STATUS_CASES, ...VERSION_CASES])("$name", (golden) =>
    runGolden(node, golden),
  );
});
