// The synthetic market: same bytes for a seed, whatever the steps; a past to ask for; the pace that was measured.
import { createHash } from "node:crypto";
import fc from "fast-check";
import { DateTime } from "luxon";
import { describe, expect, test } from "vitest";
import { createCalendar } from "../../../../src/simulators/ib-gateway/calendar.ts";
import { latestRegularTradingDay } from "../../../../src/simulators/ib-gateway/market/calendar.ts";
import { naturalLog } from "../../../../src/simulators/ib-gateway/market/chance.ts";
import { createSyntheticMarket, DEFAULT_SEED } from "../../../../src/simulators/ib-gateway/market/synthetic.ts";
import type { MarketBatch, MarketSource } from "../../../../src/simulators/ib-gateway/market-source.ts";
import {
  KIND_TRADE,
  RECORD_BYTES,
  recordA,
  recordAtMs,
  recordB,
  recordKind,
} from "../../../../src/simulators/ib-gateway/records.ts";
import { firstEntryMs } from "./z-entry.ts";

const START_MS = 1_525_699_800_000; // 7 May 2018 08:30 Chicago
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const calendar = createCalendar("exchange");
const millis = (iso: string): number => DateTime.fromISO(iso).toMillis();

const market = (seed: number, state: string | null = null, startMs = START_MS): MarketSource =>
  createSyntheticMarket({
    seed,
    startMs,
    startPriceTicks: 20_000,
    volatility: 1,
    hours: "exchange",
    calendar,
    state,
  });

const batchOf = (records: number): MarketBatch => {
  const bytes = new Uint8Array(records * RECORD_BYTES);
  return { bytes, view: new DataView(bytes.buffer), length: 0 };
};

/** Takes everything up to `untilMs` and returns it packed. */
const take = (source: MarketSource, untilMs: number, records = 512): Buffer => {
  const batch = batchOf(records);
  const pieces: Buffer[] = [];
  for (;;) {
    batch.length = 0;
    if (source.advance(untilMs, batch) === 0) return Buffer.concat(pieces);
    pieces.push(Buffer.from(batch.bytes.slice(0, batch.length * RECORD_BYTES)));
  }
};

describe("the synthetic market", () => {
  test("gives the same bytes whatever the steps and the room", () => {
    const whole = take(market(7), START_MS + 5 * MINUTE_MS);

    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 700 }),
        (steps, records) => {
          const source = market(7);
          let untilMs = START_MS;
          const pieces = steps.map((step) => {
            untilMs = Math.min(untilMs + step, START_MS + 5 * MINUTE_MS);
            return take(source, untilMs, records);
          });
          pieces.push(take(source, START_MS + 5 * MINUTE_MS, records));
          expect(Buffer.concat(pieces).equals(whole)).toBe(true);
        },
      ),
      { numRuns: 4 },
    );
  });

  test("gives these very bytes on every machine", () => {
    const bytes = take(market(7), START_MS + MINUTE_MS);

    expect(createHash("sha256").update(bytes).digest("hex")).toMatchInlineSnapshot(
      `"b4156043748be5f0125aed8873827f55f832e43025f63d4c03c61738e7026cda"`,
    );
  });

  test.each([10 * MINUTE_MS, 15 * HOUR_MS])(
    "goes on from a state saved after %d ms as if it had never stopped",
    (afterMs) => {
      const first = market(7);
      take(first, START_MS + afterMs, 4_096);
      const second = market(7, first.state());

      const [expected, found] = [first, second].map((source) => take(source, START_MS + afterMs + 2 * MINUTE_MS));

      expect(expected?.length).toBeGreaterThan(0);
      expect(found?.equals(expected ?? Buffer.alloc(0))).toBe(true);
      const bars = [first, second].map((source) => source.history(30_000, 600, START_MS + afterMs));
      expect(bars[1]).toEqual(bars[0]);
    },
  );

  test("refuses a state of another market", () => {
    expect(() => market(8, market(7).state())).toThrow(/another synthetic market/);
  });

  test("trades in order of time, bid below ask, trades within the quote, and only while the exchange is open", () => {
    const fridayMs = START_MS + 4 * 24 * HOUR_MS + 7 * HOUR_MS; // Friday 15:30 Chicago
    const [closeMs, openMs] = [fridayMs + HOUR_MS / 2, fridayMs + 49.5 * HOUR_MS];
    const source = market(7, null, fridayMs);
    const bytes = take(source, fridayMs + 51 * HOUR_MS, 65_536);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let [lastMs, bid, ask, outside] = [fridayMs, 0, Number.MAX_SAFE_INTEGER, 0];
    for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
      const atMs = recordAtMs(view, at);
      const isOrdered = atMs >= lastMs && (atMs < closeMs || atMs >= openMs);
      if (recordKind(view, at) === KIND_TRADE) {
        const price = recordA(view, at);
        if (!isOrdered || (bid > 0 && (price < bid || price > ask))) outside += 1;
      } else {
        [bid, ask] = [recordA(view, at), recordB(view, at)];
        if (!isOrdered || bid >= ask) outside += 1;
      }
      lastMs = atMs;
    }

    expect(outside).toBe(0);
    expect(lastMs - fridayMs, "the Sunday session has begun").toBeGreaterThan(49 * HOUR_MS);
  });

  test.each([1_000, 5_000, 30_000, 60_000, 300_000, 3_600_000, 86_400_000])(
    "has at least 1,000 bars of %d ms before its start, in order and joined",
    (barMs) => {
      const bars = market(7).history(barMs, 1_000, START_MS);

      expect(bars).toHaveLength(1_000);
      const broken = bars.filter((bar, index) => {
        const before = bars[index - 1];
        return (
          (before !== undefined && bar.openAtMs <= before.openAtMs) ||
          bar.highTicks < Math.max(bar.openTicks, bar.closeTicks) ||
          bar.lowTicks > Math.min(bar.openTicks, bar.closeTicks) ||
          bar.volume < 1
        );
      });
      expect(broken).toEqual([]);
      expect(bars.at(-1)?.openAtMs).toBeLessThan(START_MS);
    },
  );

  test("knows when its oldest bar opened without drawing the past", () => {
    const source = market(7);

    expect(source.firstBarMs()).toBe(source.history(24 * HOUR_MS, 10_000, START_MS)[0]?.openAtMs);
  });

  test("tells the same closes for short bars and the long ones made of them", () => {
    const source = market(7);
    take(source, START_MS + 30 * MINUTE_MS, 4_096);

    const untilMs = START_MS + 30 * MINUTE_MS;
    const short = new Map(source.history(5_000, 400, untilMs).map((bar) => [bar.openAtMs, bar.closeTicks]));
    const long = source.history(MINUTE_MS, 20, untilMs);

    const lastOf = (openAtMs: number): number | undefined =>
      Array.from({ length: 12 }, (_, back) => short.get(openAtMs + 55_000 - back * 5_000)).find(
        (close) => close !== undefined,
      );
    expect(long.map((bar) => bar.closeTicks)).toEqual(long.map((bar) => lastOf(bar.openAtMs)));
  });

  test("lets the default strategy enter within 8 minutes of 08:30 for 9 seeds in 10, the demo's among them", () => {
    const entries = Array.from({ length: 20 }, (_, index) => index + 1).map((seed) =>
      firstEntryMs(market(seed), START_MS, 8 * MINUTE_MS),
    );

    expect(entries.filter((entryMs) => entryMs !== null).length).toBeGreaterThanOrEqual(18);
    expect(firstEntryMs(market(DEFAULT_SEED), START_MS, 8 * MINUTE_MS)).not.toBeNull();
  });
});

test.each([1, 0.5, 0.999, 0.1, 1e-9])("the logarithm of %d is right to 1e-9 without the machine's own", (x) => {
  expect(naturalLog(x)).toBeCloseTo(Math.log(x), 9);
});

test.each([
  ["Monday morning before 08:30", "2026-11-23T13:00:00Z", "2026-11-20T14:30:00.000Z"],
  ["Monday 08:30", "2026-11-23T14:30:00Z", "2026-11-23T14:30:00.000Z"],
  ["Sunday", "2026-11-22T18:00:00Z", "2026-11-20T14:30:00.000Z"],
  ["the day after Thanksgiving", "2026-11-27T20:00:00Z", "2026-11-25T14:30:00.000Z"],
  ["in summer", "2026-07-15T20:00:00Z", "2026-07-15T13:30:00.000Z"],
])("the latest regular day on %s", (_, now, expected) => {
  const foundMs = latestRegularTradingDay(calendar, millis(now));

  expect(foundMs).toBe(millis(expected));
});
