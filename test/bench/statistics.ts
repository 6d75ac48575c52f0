/** What a series of measurements says. All functions are pure and leave their input as it is. */

export interface Summary {
  readonly median: number;
  readonly minimum: number;
  /** The interquartile range: the middle half of the values lies within it. */
  readonly spread: number;
}

/** Throws RangeError when there are no values or one is not finite. */
export function summarise(values: readonly number[]): Summary {
  const sorted = sort(values);
  return { median: quantile(sorted, 0.5), minimum: quantile(sorted, 0), spread: quantile(sorted, 0.75) - quantile(sorted, 0.25) };
}

/** The value in the middle; of an even number the mean of the two there. */
export function median(values: readonly number[]): number {
  return quantile(sort(values), 0.5);
}

/**
 * How many times `rival` goes into `own`: the median over the rounds of the ratio within a round. What slows a whole round down,
 * such as another program's work, falls out of it. Throws RangeError unless both have one value a round.
 */
export function ratioToRival(own: readonly number[], rival: readonly number[]): number {
  if (own.length !== rival.length) throw new RangeError(`${own.length} rounds against ${rival.length}`);
  return median(own.map((value, round) => value / at(rival, round)));
}

function sort(values: readonly number[]): number[] {
  if (values.length === 0) throw new RangeError("no values");
  if (!values.every(Number.isFinite)) throw new RangeError("a value is not finite");
  return values.toSorted((left, right) => left - right);
}

/** Linear between the two nearest values. */
function quantile(sorted: readonly number[], part: number): number {
  const place = (sorted.length - 1) * part;
  const [low, high] = [at(sorted, Math.floor(place)), at(sorted, Math.ceil(place))];
  return low + (high - low) * (place - Math.floor(place));
}

function at(values: readonly number[], index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError(`there is no value ${index}`);
  return value;
}
