import { addNote } from "../../../scripts/package/elf.ts";

/** A program of one loaded page at 0x400000, with a header table, a data segment that grows in memory, and unloaded symbols behind. */
function buildProgram(): Buffer {
  const program = Buffer.alloc(0x1800, 0xaa);
  program.fill(0, 0, 64);
  program.write("\x7fELF\x02\x01\x01", 0, "latin1");
  program.writeBigUInt64LE(64n, 32); // header table
  program.writeBigUInt64LE(0x1700n, 40); // sections
  program.writeUInt16LE(56, 54);
  program.writeUInt16LE(3, 56);
  program.writeUInt16LE(5, 60);
  const segments = [
    { type: 6, offset: 64, address: 0x400040, fileSize: 168, memorySize: 168 },
    { type: 1, offset: 0, address: 0x400000, fileSize: 0x1000, memorySize: 0x1000 },
    { type: 1, offset: 0x1000, address: 0x401000, fileSize: 0x500, memorySize: 0x2500 },
  ];
  segments.forEach((segment, index) => {
    const at = 64 + index * 56;
    program.writeUInt32LE(segment.type, at);
    program.writeBigUInt64LE(BigInt(segment.offset), at + 8);
    program.writeBigUInt64LE(BigInt(segment.address), at + 16);
    program.writeBigUInt64LE(BigInt(segment.fileSize), at + 32);
    program.writeBigUInt64LE(BigInt(segment.memorySize), at + 40);
  });
  return program;
}

function readSegments(program: Buffer): { type: number; offset: number; address: number; size: number }[] {
  const start = Number(program.readBigUInt64LE(32));
  return Array.from({ length: program.readUInt16LE(56) }, (_, index) => {
    const at = start + index * 56;
    const word = (offset: number): number => Number(program.readBigUInt64LE(at + offset));
    return { type: program.readUInt32LE(at), offset: word(8), address: word(16), size: word(40) };
  });
}

describe("adding a note to an ELF program", () => {
  const result = addNote(buildProgram(), "NAME", Buffer.from("hello"));
  const segments = readSegments(result);
  const [moved, , , added, note] = segments;

  it("puts the moved header table and the note into one new segment behind all memory of the others", () => {
    expect(segments.map(({ type }) => type)).toEqual([6, 1, 1, 1, 4]);
    expect(added).toEqual({ type: 1, offset: 0x4000, address: 0x404000, size: 5 * 56 + 12 + 8 + 8 });
    expect(moved).toEqual({ type: 6, offset: 0x4000, address: 0x404000, size: 5 * 56 });
    expect(note).toEqual({ type: 4, offset: 0x4000 + 5 * 56, address: 0x404000 + 5 * 56, size: 28 });
  });

  it("writes name and content with their lengths, each padded to four bytes", () => {
    const content = result.subarray(note?.offset);
    expect([content.readUInt32LE(0), content.readUInt32LE(4)]).toEqual([5, 5]);
    expect(content.subarray(12).toString("latin1")).toBe("NAME\0\0\0\0hello\0\0\0");
  });

  it("keeps every loaded byte and drops what is not loaded", () => {
    const original = buildProgram();
    expect(result.subarray(64, 0x1500).equals(original.subarray(64, 0x1500))).toBe(true);
    expect(result.subarray(0x1500, 0x4000).every((byte) => byte === 0)).toBe(true);
    expect([result.readBigUInt64LE(40), result.readUInt16LE(60)]).toEqual([0n, 0]);
  });

  it("refuses a file of another format", () => {
    expect(() => addNote(Buffer.alloc(128), "NAME", Buffer.from("x"))).toThrow("not a 64-bit little-endian ELF file");
  });
});
