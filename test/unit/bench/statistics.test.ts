import fc from "fast-check";
import { median, ratioToRival, summarise } from "../../bench/statistics.ts";

const positive = fc.double({ min: 0.001, max: 1e6, noNaN: true });

describe("summarise", () => {
  it.each([
    { values: [7], expected: { median: 7, minimum: 7, spread: 0 } },
    { values: [4, 1], expected: { median: 2.5, minimum: 1, spread: 1.5 } },
    { values: [5, 1, 3, 2, 4], expected: { median: 3, minimum: 1, spread: 2 } },
    { values: [1, 2, 3, 4], expected: { median: 2.5, minimum: 1, spread: 1.5 } },
    // One slow run moves neither the median nor the middle half.
    { values: [1, 2, 3, 4, 1000], expected: { median: 3, minimum: 1, spread: 2 } },
  ])("tells median, minimum and interquartile range of $values", ({ values, expected }) => {
    expect(summarise(values)).toEqual(expected);
  });

  it("gives the same whatever the order of the values, and leaves them as they are", () => {
    fc.assert(
      fc.property(fc.array(positive, { minLength: 1 }), (values) => {
        const before = [...values];
        const sorted = values.toSorted((left, right) => left - right);
        expect(summarise(values)).toEqual(summarise(sorted));
        expect(values).toEqual(before);
      }),
    );
  });

  it("sorts by value and not as text", () => {
    expect(median([10, 9, 100])).toBe(10);
  });

  it.each([{ values: [] }, { values: [1, Number.NaN] }, { values: [Number.POSITIVE_INFINITY] }])("refuses $values", ({ values }) => {
    expect(() => summarise(values)).toThrow(RangeError);
  });
});

describe("ratioToRival", () => {
  it("compares within a round, so a slow round changes nothing", () => {
    expect(ratioToRival([20, 2000, 40], [10, 1000, 20])).toBe(2);
  });

  it("is the median of the ratios and not the ratio of the medians", () => {
    expect(ratioToRival([1, 10, 100], [1, 100, 10])).toBe(1);
    expect(ratioToRival([3, 4, 5], [1, 2, 5])).toBe(2);
  });

  it("is 1 against itself and turns over with the sides", () => {
    const rounds = fc.array(fc.tuple(positive, positive), { minLength: 1 }).filter((list) => list.length % 2 === 1);
    fc.assert(
      fc.property(rounds, (list) => {
        const [own, rival] = [list.map(([value]) => value), list.map(([, value]) => value)];
        expect(ratioToRival(own, own)).toBe(1);
        expect(ratioToRival(own, rival) * ratioToRival(rival, own)).toBeCloseTo(1, 6);
      }),
    );
  });

  it("refuses series of different length", () => {
    expect(() => ratioToRival([1, 2], [1])).toThrow(RangeError);
  });
});
