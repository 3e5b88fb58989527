// Dimensions → the combinations of a sweep: the whole grid, or some of it at random. Pure, the same for the same words.
import type { ConfigValue, Settings } from "../config/settings.ts";
import { variantOf } from "../config/variant.ts";
import { err, ok, type Result } from "../result.ts";
import { printCount } from "../units.ts";
import type { Dimension } from "./dimensions.ts";

/** Is one combination: the place of its value in each dimension. Its settings are made when they are wanted: they are large. */
export type Combination = { readonly places: readonly number[] };

/** Is what a sweep runs. */
export type Plan = {
  /** Of everything that is not swept. */
  readonly settings: Settings;
  readonly dimensions: readonly Dimension[];
  readonly combinations: readonly Combination[];
  /** All points of the grid. */
  readonly gridPoints: number;
  /** Points that break a relation between settings and are left out. */
  readonly leftOut: number;
  /** Why, of the first of them. */
  readonly leftOutReason: string | null;
};

/** Is how many points of the grid are taken at random; null = all. */
export type Random = { readonly count: number; readonly seed: number };

/** More than this are for a machine of another size. */
export const COMBINATIONS_MAX = 100_000;

/** Returns the plan, or why there is none. The last dimension turns fastest. */
export function planOf(
  settings: Settings,
  dimensions: readonly Dimension[],
  random: Random | null,
): Result<Plan, string> {
  const gridPoints = dimensions.reduce((points, each) => points * each.values.length, 1);
  if (!Number.isSafeInteger(gridPoints)) return err("The grid has more than 2^53 points: take fewer values.");
  const wanted = random === null ? gridPoints : Math.min(random.count, gridPoints);
  if (wanted > COMBINATIONS_MAX)
    return err(
      `The grid has ${printCount(gridPoints)} combinations; ${printCount(COMBINATIONS_MAX)} is the most. Take fewer values, or some at random with --random N.`,
    );
  const points = random === null ? range(gridPoints) : drawn(gridPoints, wanted, random.seed);
  const combinations: Combination[] = [];
  let leftOut = 0;
  let leftOutReason: string | null = null;
  for (const point of points) {
    const places = placesOf(point, dimensions);
    const variant = variantOf(settings, valuesAt(dimensions, places));
    if (variant.ok) combinations.push({ places });
    else {
      leftOut++;
      const first = variant.error[0];
      leftOutReason ??= first === undefined ? null : `${first.path} ${first.message}`;
    }
  }
  if (combinations.length === 0)
    return err(`None of the ${printCount(points.length)} combinations is allowed: ${leftOutReason ?? ""}.`);
  return ok({ settings, dimensions, combinations, gridPoints, leftOut, leftOutReason });
}

/** Returns the settings of one of the plan's combinations. */
export function settingsFor({ settings, dimensions }: Plan, { places }: Combination): Settings {
  const variant = variantOf(settings, valuesAt(dimensions, places));
  if (!variant.ok) throw new RangeError("a combination of the plan is not allowed");
  return variant.value;
}

/** Returns a combination's values as they were written, in the order of the dimensions. */
export function textsOf(plan: Plan, combination: Combination): readonly string[] {
  return plan.dimensions.map(({ values }, at) => values[combination.places[at] as number]?.text ?? "");
}

function valuesAt(dimensions: readonly Dimension[], places: readonly number[]): ReadonlyMap<string, ConfigValue> {
  return new Map(dimensions.map(({ path, values }, at) => [path, values[places[at] as number]?.value ?? null]));
}

function placesOf(point: number, dimensions: readonly Dimension[]): readonly number[] {
  const places: number[] = [];
  let rest = point;
  for (const { values } of dimensions.toReversed()) {
    places.unshift(rest % values.length);
    rest = Math.floor(rest / values.length);
  }
  return places;
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at);
}

/** Returns `count` different points below `points` in ascending order (Floyd's sampling: each subset is as likely). */
function drawn(points: number, count: number, seed: number): readonly number[] {
  const next = generator(seed);
  const taken = new Set<number>();
  for (let top = points - count; top < points; top++) {
    const point = Math.floor(next() * (top + 1));
    taken.add(taken.has(point) ? top : point);
  }
  return [...taken].sort((one, other) => one - other);
}

/** 53 bits of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) as a number in [0, 1). */
function generator(seed: number): () => number {
  const mask = (1n << 64n) - 1n;
  let state = BigInt(seed);
  return () => {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let mixed = state;
    mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & mask;
    mixed ^= mixed >> 31n;
    return Number(mixed >> 11n) / 2 ** 53;
  };
}
