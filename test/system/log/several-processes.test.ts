import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { findNode } from "../../emulator/client.ts";

const WRITERS = 8;
const LINES = 2_000;

interface Line {
  readonly writer: string;
  readonly container: string;
  readonly number: number;
}

describe(`a log that ${WRITERS} processes write and rotate at once`, () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hns-cni-log-"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  async function writeAll(maxBytes: number, keep: number): Promise<string[]> {
    const writer = join(process.cwd(), "test/system/log/log-writer.ts");
    const start = (name: string): Promise<unknown> =>
      promisify(execFile)(findNode(), [writer, join(folder, "hns-cni.log"), name, String(LINES), String(maxBytes), String(keep)]);
    await Promise.all(Array.from({ length: WRITERS }, (_, index) => start(String(index))));
    return readdirSync(folder).sort();
  }

  function readLines(files: readonly string[]): Line[] {
    const texts = files.map((file) => readFileSync(join(folder, file), "utf8"));
    expect(texts.filter((text) => text !== "" && !text.endsWith("\n"))).toEqual([]);
    // A torn line, or two in one, would not parse.
    return texts.flatMap((text) => text.split("\n").filter((line) => line !== "")).map((line) => JSON.parse(line) as Line);
  }

  it("holds every line once, whole, with its container, while there is room for all", async () => {
    const files = await writeAll(64 * 1024, 1_000);
    expect(files.length).toBeGreaterThan(20);
    const lines = readLines(files);
    expect(lines).toHaveLength(WRITERS * LINES);
    expect(new Set(lines.map(({ writer, number }) => `${writer} ${number}`)).size).toBe(WRITERS * LINES);
    expect(lines.filter(({ writer, container }) => container !== `container-${writer}`)).toEqual([]);
  });

  it("keeps the newest lines and no more than its share of the disk when there is not", async () => {
    const [maxBytes, keep] = [64 * 1024, 3];
    const files = await writeAll(maxBytes, keep);
    const sizes = files.map((file) => statSync(join(folder, file)).size);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    // Each process may add a line to a file after it was found not yet full, and a small file may have been set aside.
    const slack = WRITERS * 400;
    expect(total).toBeLessThanOrEqual((keep + 2) * (maxBytes + slack));
    expect(total).toBeGreaterThan((keep - 1) * maxBytes);
    const lines = readLines(files);
    // Of each writer, what is left is its end: no line is missing between the oldest kept and the last.
    for (let writer = 0; writer < WRITERS; writer++) {
      const numbers = lines.filter((line) => line.writer === String(writer)).map(({ number }) => number);
      const sorted = numbers.sort((left, right) => left - right);
      expect(sorted).toEqual(Array.from({ length: sorted.length }, (_, index) => LINES - sorted.length + index));
    }
  });
});
