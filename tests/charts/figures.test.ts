// From data to chart descriptions: what is drawn, what is said where there is nothing, and what thinning keeps.
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type ChartBar,
  type ChartFrame,
  type ChartTrade,
  equityFigure,
  equityPoints,
  type MarketData,
  POINTS_MAX,
  thin,
  todayFigure,
  weekFigure,
  zscoreFigure,
} from "../../src/charts/figures.ts";
import { tickSize } from "../../src/units.ts";

const AT_MS = 1_795_618_800_000;

const FRAME: ChartFrame = {
  theme: "dark",
  zone: "America/Chicago",
  nowMs: AT_MS,
  badge: "DEMO",
  marketLabel: "synthetic market, seed 7, ×10",
  contractName: "MES Z6",
  tickSize: tickSize("0.25"),
};

const bar = (index: number, more: Partial<ChartBar> = {}): ChartBar => ({
  closeAtMs: AT_MS + index * 5_000,
  closeTicks: 20_000 + (index % 7),
  z: (index % 5) - 2,
  meanTicks: 20_003,
  sdTicks: 2,
  blockedBy: null,
  ...more,
});

const trade = (tradeId: number, more: Partial<ChartTrade> = {}): ChartTrade => ({
  tradeId,
  tradeDate: "2026-11-25",
  side: "long",
  entryAtMs: AT_MS + tradeId * 10_000,
  exitAtMs: AT_MS + tradeId * 10_000 + 5_000,
  entryPriceTicks: 20_000,
  exitPriceTicks: 20_010,
  netCents: 1_000,
  ...more,
});

const data = (more: Partial<MarketData> = {}): MarketData => ({
  bars: Array.from({ length: 100 }, (_, index) => bar(index)),
  trades: [trade(1), trade(2, { side: "short" })],
  position: null,
  entryZ: 2,
  exitZ: 0.5,
  samplingMs: 5_000,
  ...more,
});

test("every chart says DEMO and what the market is, also an empty one", () => {
  const figures = [
    todayFigure(FRAME, data()),
    todayFigure(FRAME, data({ bars: [] })),
    zscoreFigure(FRAME, data()),
    equityFigure(FRAME, "equity", []),
    equityFigure(FRAME, "drawdown", [trade(1)]),
    weekFigure(FRAME, [trade(1)]),
  ];

  for (const figure of figures) {
    expect(figure.title).toMatch(/^DEMO · MES Z6 · /);
    expect(figure.subtitle).toContain("synthetic market, seed 7, ×10");
    expect(figure.subtitle).toContain("as of 09:00:00 CT");
  }
});

test.each([
  ["today", todayFigure(FRAME, data({ bars: [] })), "No bars yet."],
  ["z while the window fills", zscoreFigure(FRAME, data({ bars: [bar(1, { z: null })] })), "The window is filling."],
  ["equity", equityFigure(FRAME, "equity", []), "No closed trades yet."],
  ["week", weekFigure(FRAME, []), "No closed trades yet."],
])("without data %s says so in words", (_, figure, says) => {
  expect(figure.panes).toEqual([]);
  expect(figure.emptyText).toContain(says);
});

test("the day's chart has the price above with mean and bands, and z with its thresholds below", () => {
  const [price, z] = todayFigure(FRAME, data()).panes;

  expect(price?.lines.map((line) => line.label)).toEqual(["price", "mean", "mean ± 2.0 sd", ""]);
  expect(price?.lines.map((line) => line.points[0]?.y)).toEqual([5_000, 5_000.75, 5_001.75, 4_999.75]);
  expect(z?.levels.map((level) => level.y)).toEqual([2, -2, 0.5, -0.5]);
});

test("trades are marked with their side in letters, the open one too, and its stop and target are dashed", () => {
  const position = {
    position: -1,
    entryAtMs: AT_MS + 400_000,
    averageTicks: 20_001,
    stopTicks: 20_161,
    targetTicks: 19_761,
  };

  const [price] = todayFigure(FRAME, data({ position })).panes;

  expect(price?.marks.map((marks) => [marks.shape, marks.points.map((point) => point.text)])).toEqual([
    ["up", ["L", "S", "S"]],
    ["down", ["", ""]],
  ]);
  expect(price?.levels.map((level) => [level.label, level.isDashed])).toEqual([
    ["stop 5,040.25", true],
    ["target 4,940.25", true],
  ]);
});

test("a closed market is a gap in the line", () => {
  const bars = [bar(0), bar(1), { ...bar(2), closeAtMs: AT_MS + 7_200_000 }];

  const [price] = todayFigure(FRAME, data({ bars, trades: [] })).panes;

  expect(price?.lines[0]?.points.map((point) => point.y)).toEqual([5_000, 5_000.25, null, 5_000.5]);
});

test("a signal that a gate stopped is a ring on the z chart", () => {
  const bars = [bar(0, { z: 2.1, blockedBy: "pause" }), bar(1)];

  const [pane] = zscoreFigure(FRAME, data({ bars })).panes;

  expect(pane?.marks).toMatchObject([{ shape: "ring", points: [{ x: AT_MS, y: 2.1 }] }]);
});

test("the week has one bar a trading day, five at most, and their running sum", () => {
  const trades = ["20", "23", "24", "25", "26", "27"].map((day, index) =>
    trade(index, { tradeDate: `2026-11-${day}`, netCents: 100 * (index + 1) }),
  );

  const figure = weekFigure(FRAME, trades);

  expect(figure.axis).toEqual({
    type: "names",
    names: ["Mon 23 Nov", "Tue 24 Nov", "Wed 25 Nov", "Thu 26 Nov", "Fri 27 Nov"],
  });
  expect(figure.panes[0]?.bars[0]?.values).toEqual([2, 3, 4, 5, 6]);
  expect(figure.panes[0]?.lines[0]?.points.map((point) => point.y)).toEqual([2, 5, 9, 14, 20]);
});

test("equity begins at nothing and its peak never falls, for any trades", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -50_000, max: 50_000 }), { minLength: 1, maxLength: 60 }), (nets) => {
      const points = equityPoints(nets.map((netCents, index) => trade(index, { netCents })));

      expect(points[0]).toMatchObject({ netUsd: 0, peakUsd: 0 });
      points.forEach((point, index) => {
        expect(point.peakUsd).toBeGreaterThanOrEqual(Math.max(point.netUsd, points[index - 1]?.peakUsd ?? 0));
      });
      expect(points.at(-1)?.netUsd).toBeCloseTo(nets.reduce((sum, net) => sum + net, 0) / 100, 6);
    }),
  );
});

test("thinning keeps the highest and lowest price and z, the order and the last bar, for any day", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 19_000, max: 21_000 }), fc.double({ min: -4, max: 4, noNaN: true })), {
        minLength: 1,
        maxLength: 5_000,
      }),
      (values) => {
        const bars = values.map(([closeTicks, z], index) => bar(index, { closeTicks, z }));

        const kept = thin(bars, POINTS_MAX);

        expect(kept.length).toBeLessThanOrEqual(POINTS_MAX + 5);
        expect(kept.at(-1)).toBe(bars.at(-1));
        for (const value of [(one: ChartBar) => one.closeTicks, (one: ChartBar) => one.z ?? 0]) {
          expect(Math.max(...kept.map(value))).toBe(Math.max(...bars.map(value)));
          expect(Math.min(...kept.map(value))).toBe(Math.min(...bars.map(value)));
        }
        expect([...kept].sort((one, other) => one.closeAtMs - other.closeAtMs)).toEqual(kept);
      },
    ),
    { numRuns: 30 },
  );
});
