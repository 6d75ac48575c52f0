/** A reader of XML as far as a picture needs it: it throws, saying where, for what a strict parser would refuse. No document types, no CDATA. */

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** The text in it, that of its children left out. */
  readonly text: string;
}

interface OpenElement {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: XmlElement[];
  text: string;
}

const TAG = /<(?:(\/)([\w:-]+)\s*|([\w:-]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?))>/y;
const ATTRIBUTE = /([\w:-]+)="([^"<]*)"/g;
/** Characters that no XML document may hold, even escaped. */
const FORBIDDEN = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

export function parseXml(source: string): XmlElement {
  const forbidden = FORBIDDEN.exec(source);
  if (forbidden !== null) throw new Error(`a character that XML does not allow, at ${forbidden.index}`);
  const top: OpenElement = { name: "", attributes: {}, children: [], text: "" };
  const open = [top];
  for (const [text, tag] of splitTags(source)) {
    const current = open.at(-1) ?? top;
    current.text += unescape(text);
    if (tag !== undefined) takeTag(open, tag);
  }
  if (open.length !== 1) throw new Error("an element is not closed");
  const [root] = top.children;
  if (root === undefined || top.children.length > 1 || top.text.trim() !== "") throw new Error("not one element at the top");
  return root;
}

/** Each tag with the text before it; the last text has none. */
function* splitTags(source: string): Generator<[string, RegExpExecArray | undefined]> {
  let at = 0;
  for (let next = source.indexOf("<"); next >= 0; next = source.indexOf("<", at)) {
    TAG.lastIndex = next;
    const tag = TAG.exec(source);
    if (tag === null) throw new Error(`no tag: ${source.slice(next, next + 60)}`);
    yield [source.slice(at, next), tag];
    at = TAG.lastIndex;
  }
  yield [source.slice(at), undefined];
}

/** The element and everything below it. */
export function listElements(root: XmlElement): XmlElement[] {
  return [root, ...root.children.flatMap(listElements)];
}

function takeTag(open: OpenElement[], [, isEnd, endName, name = "", attributes = "", isEmpty]: RegExpExecArray): void {
  if (isEnd !== undefined) {
    endElement(open, String(endName));
    return;
  }
  const element: OpenElement = { name, attributes: readAttributes(attributes), children: [], text: "" };
  open.at(-1)?.children.push(element);
  if (isEmpty === "") open.push(element);
}

function endElement(open: OpenElement[], name: string): void {
  const ended = open.pop();
  if (ended?.name !== name || open.length === 0) throw new Error(`</${name}> ends <${String(ended?.name)}>`);
}

function readAttributes(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name = "", value = ""] of text.matchAll(ATTRIBUTE)) {
    if (name in found) throw new Error(`the attribute ${name} twice`);
    found[name] = unescape(value);
  }
  return found;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function unescape(text: string): string {
  return text.replaceAll(/&(?:#(\d+);|(\w+);|)/g, (whole, code: string | undefined, name: string | undefined) => {
    if (code !== undefined) return String.fromCodePoint(Number(code));
    const character = ENTITIES[name ?? ""];
    if (character === undefined) throw new Error(`an ampersand that begins no entity: ${whole}`);
    return character;
  });
}
