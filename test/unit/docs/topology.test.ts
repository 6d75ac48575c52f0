/** The picture in the README. `npm run picture` draws it anew. */
import { readFileSync } from "node:fs";
import type { EngineFixture } from "../../support/engine-fixture.ts";
import { drawNode, makePictureNode } from "../../support/picture-node.ts";
import { listElements, parseXml } from "../../support/xml.ts";

let node: EngineFixture;

beforeAll(async () => {
  node = await makePictureNode();
});

afterAll(() => node.close());

test("docs/topology.svg is what the command prints", async () => {
  expect(readFileSync("docs/topology.svg", "utf8")).toBe(await drawNode(node, "svg"));
});

test("it is a picture of two networks and five pods", () => {
  const texts = listElements(parseXml(readFileSync("docs/topology.svg", "utf8"))).flatMap(({ name, text }) =>
    name === "text" ? [text] : [],
  );
  expect(texts).toEqual(expect.arrayContaining(["pods", "storage", "pods_ep", "storage-gateway"]));
  expect(texts.filter((text) => text.startsWith("ns "))).toHaveLength(5);
});

test("the README shows it", () => expect(readFileSync("README.md", "utf8")).toContain("(docs/topology.svg)"));
