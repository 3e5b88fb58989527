// How the synthetic market moves beyond what was measured: jumps, gaps over closed hours, a pull back to where it began.

/** Is what can be set; the defaults are the measured market (docs/synthetic-market.md). */
export type MarketCharacter = {
  /** Sudden moves an hour, on average; 0 = none. */
  readonly jumpsPerHour: number;
  /** Is the size of a jump on average, in ticks, up or down alike. */
  readonly jumpTicks: number;
  /** Is the standard deviation of the step over a closed stretch, in ticks. */
  readonly gapTicks: number;
  /** Is after how much open time the price has come half-way back to where it began; null = it never does. */
  readonly halfLifeMs: number | null;
};

/** Is the measured market's. */
export const MEASURED: MarketCharacter = { jumpsPerHour: 0, jumpTicks: 40, gapTicks: 8, halfLifeMs: null };

/** Returns what differs from the measured market, for its label; nothing where nothing does. */
export function printCharacter({ jumpsPerHour, jumpTicks, gapTicks, halfLifeMs }: MarketCharacter): readonly string[] {
  return [
    ...(jumpsPerHour === 0 ? [] : [`${jumpsPerHour} jumps an hour of ${jumpTicks} ticks`]),
    ...(gapTicks === MEASURED.gapTicks ? [] : [`gaps of ${gapTicks} ticks`]),
    ...(halfLifeMs === null ? [] : [`half-life ${halfLifeMs / 60_000} min`]),
  ];
}
