// The figures of a finished backtest in words: value, interval and, where there is no value, why.
import type { Interval } from "../engine.ts";
import { printCents, printCount, printNumber } from "../units.ts";
import { DEFINITIONS, type Definition, whyText } from "./definitions.ts";
import type { Outcome } from "./outcome.ts";

/** Is one figure ready to be shown: `interval` is empty where there is none, `why` where it has a value. */
export type Value = {
  readonly definition: Definition;
  readonly value: string;
  readonly interval: string;
  readonly why: string;
};

/** Beyond this a ratio of a few sessions says nothing any more. */
const RATIO_SHOWN_MAX = 1_000;

/** Returns every figure of the outcome, in the order of their definitions. */
export function values({ run }: Outcome): readonly Value[] {
  return DEFINITIONS.filter(({ figure }) => figure !== null || run.study !== null).map((definition) => {
    const { figure, study } = definition;
    const [found, undefinedOf] =
      figure === null ? [run.study, run.study?.undefined] : [run.report.statistics, run.report.statistics.undefined];
    const name = (figure ?? study) as string;
    const value = (found as Readonly<Record<string, unknown>> | null)?.[name];
    const why = undefinedOf?.[name];
    return {
      definition,
      value: typeof value === "number" ? valueText(definition, value) : "n/a",
      why: typeof value === "number" || why === undefined ? "" : whyText(why),
      interval: figure === null ? "" : intervalText(definition, intervalOf(run.study, study)),
    };
  });
}

/** Returns the interval of a figure in its units, "" where there is none: "$100.00 to $300.00". */
export function intervalText(definition: Definition, interval: Interval | null): string {
  return interval === null ? "" : `${valueText(definition, interval.low)} to ${valueText(definition, interval.high)}`;
}

/** Returns a study's interval, null where it has none of that name. */
export function intervalOf(study: Outcome["run"]["study"], name: Definition["study"]): Interval | null {
  const found = study === null || name === null ? null : study[name];
  return typeof found === "object" && found !== null && isInterval(found) ? found : null;
}

function isInterval(found: object): found is Interval {
  return "low" in found && "high" in found;
}

function valueText({ unit }: Definition, value: number): string {
  if (unit.startsWith("$")) return printCents(Math.round(value));
  if (unit.startsWith("share") || unit === "probability") {
    const percent = value * 100;
    return Math.abs(percent) > RATIO_SHOWN_MAX
      ? `${percent < 0 ? "below −" : "above "}${printCount(RATIO_SHOWN_MAX)} %`
      : `${printNumber(percent, Math.abs(percent) < 10 ? 2 : 1)} %`;
  }
  if (unit === "bars" || unit === "trades") return Number.isInteger(value) ? printCount(value) : printNumber(value, 1);
  return Math.abs(value) > RATIO_SHOWN_MAX
    ? `${value < 0 ? "below −" : "above "}${printCount(RATIO_SHOWN_MAX)}`
    : printNumber(value, 2);
}
