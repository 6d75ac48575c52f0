/** The reader by which the pictures are checked must itself see what is wrong. */
import { parseXml } from "../../../support/xml.ts";

it("reads elements, attributes and text", () => {
  expect(parseXml('<a x="1 &lt; 2">b &amp; <c/>&#39;d</a>\n')).toEqual({
    name: "a",
    attributes: { x: "1 < 2" },
    text: "b & 'd",
    children: [{ name: "c", attributes: {}, text: "", children: [] }],
  });
});

it.each([
  ["an open element", "<a><b></a>"],
  ["an end without a start", "<a/></b>"],
  ["an element that is not closed", "<a>"],
  ["two at the top", "<a/><b/>"],
  ["text at the top", "x<a/>"],
  ["a bare ampersand", "<a>b & c</a>"],
  ["an entity of HTML", "<a>&nbsp;</a>"],
  ["a bare bracket", "<a>1 < 2</a>"],
  ["an attribute without quotes", "<a b=c/>"],
  ["an attribute twice", '<a b="c" b="d"/>'],
  ["a quote in an attribute", '<a b="c"d"/>'],
  ["a control character", "<a>\u0007</a>"],
  ["half a character", "<a>\ud800</a>"],
])("refuses %s", (_name, text) => expect(() => parseXml(text)).toThrow());
