/** `npm run picture`: draws docs/topology.svg anew, by the command itself on an emulated node. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makePictureNode, drawNode } from "../test/support/picture-node.ts";
import { root } from "./package/paths.ts";

const file = join(root, "docs/topology.svg");
const node = await makePictureNode();
try {
  writeFileSync(file, await drawNode(node, "svg"));
  process.stdout.write(`written: ${file}\n`);
} finally {
  node.close();
}
