/** Reads a Windows program's version block as Windows' own version.dll does (VS_VERSIONINFO of winver.h). */

export interface VersionBlock {
  /** The numbers of the fixed part, as 1.2.3.0. */
  readonly fileVersion: string;
  readonly productVersion: string;
  readonly strings: Readonly<Record<string, string>>;
}

const ROOT_KEY = Buffer.from("VS_VERSION_INFO\0", "utf16le");
const SIGNATURE = 0xfeef04bd;

/** Throws unless the file has exactly one block. */
export function readVersionBlock(program: Buffer): VersionBlock {
  const key = program.indexOf(ROOT_KEY);
  if (key < 0 || program.indexOf(ROOT_KEY, key + 1) >= 0) throw new Error("there is not exactly one version block");
  const block = program.subarray(key - 6, key - 6 + program.readUInt16LE(key - 6));
  const fixed = align(6 + ROOT_KEY.length);
  if (block.readUInt32LE(fixed) !== SIGNATURE) throw new Error("the version block has no fixed part");
  const strings: Record<string, string> = {};
  collect(block, align(fixed + block.readUInt16LE(2)), strings);
  return { fileVersion: readNumbers(block, fixed + 8), productVersion: readNumbers(block, fixed + 16), strings };
}

/** Every entry is length, value's length, type, key, value and children, each on a multiple of four bytes; texts end a branch. */
function collect(block: Buffer, start: number, strings: Record<string, string>): void {
  for (let at = start; at + 6 <= block.length;) {
    const length = block.readUInt16LE(at);
    if (length === 0) return;
    const [characters, isText] = [block.readUInt16LE(at + 2), block.readUInt16LE(at + 4) === 1];
    const key = readText(block, at + 6);
    const value = align(at + 6 + 2 * (key.length + 1));
    if (characters === 0) collect(block.subarray(0, at + length), value, strings);
    else if (isText) strings[key] = readText(block, value);
    at = align(at + length);
  }
}

function readText(block: Buffer, start: number): string {
  let end = start;
  while (block.readUInt16LE(end) !== 0) end += 2;
  return block.toString("utf16le", start, end);
}

function readNumbers(block: Buffer, at: number): string {
  return [at + 2, at, at + 6, at + 4].map((place) => block.readUInt16LE(place)).join(".");
}

function align(at: number): number {
  return (at + 3) & ~3;
}
