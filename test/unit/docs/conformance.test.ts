/** docs/conformance.md says of every point of the specification whose it is, and where a test of it is. */
import { readFileSync } from "node:fs";

interface Row {
  readonly point: number;
  readonly whose: string;
  readonly files: readonly string[];
}

const rows = readFileSync("docs/conformance.md", "utf8")
  .split("\n")
  .map((line) => /^\| (\d+) \| (\w+) \| .* \| (.*)\|$/.exec(line))
  .filter((match) => match !== null)
  .map(([, point, whose = "", files = ""]): Row => ({ point: Number(point), whose, files: files.match(/(?<=`)[^`, ]+(?=`)/g) ?? [] }));

test("every point from 1 to 86 has its row", () => {
  expect(rows.map(({ point }) => point)).toEqual(Array.from({ length: 86 }, (_, index) => index + 1));
});

test.each(rows.filter(({ whose }) => whose === "plugin"))("point $point is the plugin's and has a test", ({ files }) => {
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) expect(() => readFileSync(file)).not.toThrow();
});

test.each(rows.filter(({ files, point }) => files.length > 0 && point !== 11))(
  "point $point is named in the tests the row names",
  ({ point, files }) => {
    for (const file of files) expect(namedPoints(readFileSync(file, "utf8"))).toContain(point);
  },
);

/** The points a test file names: "point 8", "points 6 and 8", "points 2 to 5". */
function namedPoints(text: string): number[] {
  return [...text.matchAll(/points? (\d+(?:(?:, | and | to )\d+)*)/g)].flatMap(([, list = ""]) => {
    const numbers = (list.match(/\d+/g) ?? []).map(Number);
    const [first = 0, last = 0] = [numbers[0], numbers.at(-1)];
    return list.includes(" to ") ? Array.from({ length: last - first + 1 }, (_, index) => first + index) : numbers;
  });
}
