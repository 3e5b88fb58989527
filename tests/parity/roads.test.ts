// The same market gives the same trades, whether the exchange is spoken to directly or over the wire.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RoundTrip } from "../../src/engine.ts";
import { createCalendar } from "../../src/simulators/ib-gateway/calendar.ts";
import { MEASURED } from "../../src/simulators/ib-gateway/market/character.ts";
import { openRecording } from "../../src/simulators/ib-gateway/market/recording.ts";
import { createSyntheticMarket } from "../../src/simulators/ib-gateway/market/synthetic.ts";
import type { MarketSource } from "../../src/simulators/ib-gateway/market-source.ts";
import { FAKE_START_MS } from "../support/fake-clock.ts";
import { run } from "../support/lockstep.ts";
import { inProcess, overTcp } from "../support/roads.ts";

const MINUTE_MS = 60_000;
const TEST_MS_MAX = 180_000;
/** Recordings lie beside the project where somebody has them; they are not part of it. */
const RECORDINGS = join(import.meta.dirname, "../../../shared/data");

type Case = {
  readonly open: () => MarketSource;
  readonly minutes: number;
  readonly overrides?: readonly string[];
  /** Fewest and most round trips that the market is known to give. */
  readonly roundTrips: readonly [number, number];
};

async function comparesEqual({ open, minutes, overrides = [], roundTrips: [least, most] }: Case): Promise<void> {
  const market = (): Parameters<typeof run>[1] => {
    const source = open();
    return { source, endMs: Math.min(source.startMs + minutes * MINUTE_MS, source.endMs ?? Infinity), overrides };
  };

  const direct = await run(inProcess, market());
  const wired = await run(overTcp, market());

  expect(wired.roundTrips.map(asTraded)).toEqual(direct.roundTrips.map(asTraded));
  expect(wired.decisions).toBe(direct.decisions);
  expect([...wired.blocked]).toEqual([...direct.blocked]);
  expect([direct.remarks, wired.remarks]).toEqual([[], []]);
  expect(direct.decisions).toBeGreaterThan(0);
  expect(direct.roundTrips.length).toBeGreaterThanOrEqual(least);
  expect(direct.roundTrips.length).toBeLessThanOrEqual(most);
}

/** What must be equal: what was traded, when, at which price, why, and what it came to. */
function asTraded(trade: RoundTrip): object {
  const { side, quantity, signalAtMs, entryAtMs, exitAtMs, entryPriceTicks, exitPriceTicks } = trade;
  const { reason, grossCents, feesCents, netCents } = trade;
  return {
    ...{ side, quantity, signalAtMs, entryAtMs, exitAtMs, entryPriceTicks, exitPriceTicks },
    ...{ reason, grossCents, feesCents, netCents },
  };
}

const recording = (file: string) => (): MarketSource => {
  const opened = openRecording(join(RECORDINGS, file), {
    symbol: "MES",
    tickSizeE4: 2_500,
    calendar: createCalendar("exchange"),
    startMs: null,
    contract: null,
    pastSeed: null,
    todayMs: null,
    loop: false,
    state: null,
  });
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  return opened.value;
};

describe("the road to the exchange makes no difference", () => {
  test(
    "on an hour and a half of the synthetic market",
    async () => {
      const open = (): MarketSource =>
        createSyntheticMarket({
          seed: 7,
          startMs: FAKE_START_MS - 30 * MINUTE_MS,
          startPriceTicks: 27_200,
          volatility: 1,
          character: MEASURED,
          hours: "exchange",
          calendar: createCalendar("exchange"),
          state: null,
        });

      await comparesEqual({ open, minutes: 90, roundTrips: [1, 100] });
    },
    TEST_MS_MAX,
  );

  test.skipIf(!existsSync(RECORDINGS))(
    `on recorded trades of a morning in 2018${existsSync(RECORDINGS) ? "" : " (skipped: there are no recordings beside the project)"}`,
    async () => {
      await comparesEqual({
        open: recording("es_ticks_2018-05-07_trades.csv.gz"),
        minutes: 210,
        // Its quotes are derived from trades and stand for minutes without a change.
        overrides: ["risk.staleEntry=60s", "risk.staleAlarm=10m"],
        roundTrips: [20, 50],
      });
    },
    TEST_MS_MAX,
  );

  test.skipIf(!existsSync(RECORDINGS))(
    `on four minutes of recorded quotes and trades${existsSync(RECORDINGS) ? "" : " (skipped: there are no recordings beside the project)"}`,
    async () => {
      await comparesEqual({
        open: recording("es_ticks_2024-07-01_4min_quotes_trades.csv.gz"),
        minutes: 4,
        overrides: ["strategy.sampling=1s", "strategy.window=20"],
        roundTrips: [0, 20],
      });
    },
    TEST_MS_MAX,
  );
});
