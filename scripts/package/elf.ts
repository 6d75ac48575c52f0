/**
 * Puts the blob into the Linux Node binary as a note that is loaded with the program, which is where Node looks for it.
 * Format: the ELF-64 specification (gabi), little-endian. Everything behind the last loaded byte (symbols, section headers) is
 * dropped on the way: the loader reads segments only, and the file gets 18 MB smaller.
 */

interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
}

const type = { load: 1, note: 4, programHeaders: 6 } as const;
const readable = 4;
const page = 0x1000;
const headerSize = 56;

/** A copy of `binary` with a note `name` that holds `content`. Throws when the binary is not a 64-bit little-endian ELF program. */
export function addNote(binary: Buffer, name: string, content: Buffer): Buffer {
  const segments = readSegments(binary);
  const loads = segments.filter((segment) => segment.type === type.load);
  const [first] = loads;
  if (first === undefined) throw new Error("the program has no loaded segment");
  const fileEnd = Math.max(...loads.map((segment) => segment.offset + segment.fileSize));
  const memoryEnd = Math.max(...loads.map((segment) => segment.address + segment.memorySize));
  // Older kernels tell the loader that the header table is at the first segment's address plus its file offset. So the new
  // segment, which holds the table, must lie behind the others by the same distance in the file as in memory.
  const base = first.address - first.offset;
  const offset = roundUp(Math.max(fileEnd, memoryEnd - base), page);

  const table = (segments.length + 2) * headerSize;
  const note = buildNote(name, content);
  const added: Segment = { type: type.load, flags: readable, offset, address: base + offset, ...sized(table + note.length), align: page };
  const noteSegment: Segment = {
    ...added,
    type: type.note,
    offset: offset + table,
    address: added.address + table,
    ...sized(note.length),
    align: 4,
  };
  const moved = segments.map((segment) =>
    segment.type === type.programHeaders ? { ...segment, offset, address: added.address, ...sized(table) } : segment,
  );
  const output = Buffer.concat([
    binary.subarray(0, fileEnd),
    Buffer.alloc(offset - fileEnd),
    writeSegments([...moved, added, noteSegment]),
    note,
  ]);
  output.writeBigUInt64LE(BigInt(offset), 32); // e_phoff
  output.writeBigUInt64LE(0n, 40); // e_shoff
  output.writeUInt16LE(segments.length + 2, 56); // e_phnum
  output.writeUInt16LE(0, 60); // e_shnum
  output.writeUInt16LE(0, 62); // e_shstrndx
  return output;
}

function readSegments(binary: Buffer): Segment[] {
  const isElf64 = binary.readUInt32BE(0) === 0x7f454c46 && binary[4] === 2 && binary[5] === 1;
  if (!isElf64 || binary.readUInt16LE(54) !== headerSize) throw new Error("not a 64-bit little-endian ELF file");
  const start = Number(binary.readBigUInt64LE(32));
  return Array.from({ length: binary.readUInt16LE(56) }, (_, index) => readSegment(binary, start + index * headerSize));
}

function readSegment(binary: Buffer, at: number): Segment {
  const word = (index: number): number => Number(binary.readBigUInt64LE(at + index));
  return {
    type: binary.readUInt32LE(at),
    flags: binary.readUInt32LE(at + 4),
    offset: word(8),
    address: word(16),
    fileSize: word(32),
    memorySize: word(40),
    align: word(48),
  };
}

function writeSegments(segments: readonly Segment[]): Buffer {
  const table = Buffer.alloc(segments.length * headerSize);
  segments.forEach((segment, index) => {
    const at = index * headerSize;
    table.writeUInt32LE(segment.type, at);
    table.writeUInt32LE(segment.flags, at + 4);
    const { offset, address, fileSize, memorySize, align } = segment;
    [offset, address, address, fileSize, memorySize, align].forEach((value, field) => {
      table.writeBigUInt64LE(BigInt(value), at + 8 + field * 8);
    });
  });
  return table;
}

/** A note: three 32-bit words (length of name and content, type), then both, each padded to 4 bytes. */
function buildNote(name: string, content: Buffer): Buffer {
  const label = Buffer.from(`${name}\0`, "latin1");
  const header = Buffer.alloc(12);
  header.writeUInt32LE(label.length, 0);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, padded(label), padded(content)]);
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc(roundUp(data.length, 4) - data.length)]);
}

function sized(size: number): { fileSize: number; memorySize: number } {
  return { fileSize: size, memorySize: size };
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
