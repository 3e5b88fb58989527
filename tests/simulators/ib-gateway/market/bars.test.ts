import fc from "fast-check";
import { expect, test } from "vitest";
import { createBarStore, quotedBar } from "../../../../src/simulators/ib-gateway/market/bars.ts";

test("quotes make bars of their own: bid, ask and the middle between them", () => {
  const bars = createBarStore();
  bars.trade(1_000, 105, 3);
  bars.quote(1_000, 100, 101);
  bars.quote(1_400, 104, 107);
  bars.quote(1_900, 102, 103);

  const of = (price: "BID" | "ASK" | "MIDPOINT") =>
    bars
      .kept(1_000, 2_000, 10, price)
      .map((bar) => [bar.openTicks, bar.highTicks, bar.lowTicks, bar.closeTicks, bar.volume]);
  expect(of("BID")).toEqual([[100, 104, 100, 102, 0]]);
  expect(of("ASK")).toEqual([[101, 107, 101, 103, 0]]);
  expect(of("MIDPOINT")).toEqual([[100.5, 105.5, 100.5, 102.5, 0]]);
});

test("bars of quotes move with all the others", () => {
  const bars = createBarStore();
  bars.quote(1_000, 100, 101);
  bars.shift(10);

  expect(bars.kept(1_000, 2_000, 10, "MIDPOINT")[0]?.closeTicks).toBe(110.5);
});

test("the quote that is said of a past with trades only is one tick wide and holds every trade", () => {
  const price = fc.integer({ min: 1_000, max: 1_020 });
  fc.assert(
    fc.property(fc.array(price, { minLength: 2, maxLength: 4 }), (trades) => {
      const bar = {
        openAtMs: 0,
        openTicks: trades[0] as number,
        highTicks: Math.max(...trades),
        lowTicks: Math.min(...trades),
        closeTicks: trades.at(-1) as number,
        volume: 5,
      };
      const [bid, ask, middle] = (["BID", "ASK", "MIDPOINT"] as const).map((shown) => quotedBar(bar, shown));
      for (const key of ["openTicks", "highTicks", "lowTicks", "closeTicks"] as const) {
        expect(ask?.[key]).toBe((bid?.[key] ?? 0) + 1);
        expect(middle?.[key]).toBe((bid?.[key] ?? 0) + 0.5);
      }
      expect(bid?.lowTicks).toBe(bar.lowTicks);
      expect(ask?.highTicks).toBe(Math.max(bar.highTicks, bar.lowTicks + 1));
      for (const key of ["openTicks", "closeTicks"] as const) {
        expect([bid?.[key], ask?.[key]]).toContain(bar[key]);
      }
    }),
  );
});
