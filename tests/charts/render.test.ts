// From descriptions to pictures: a PNG of the right size that has something in it, whatever the data.
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import type { Figure } from "../../src/charts/figure.ts";
import {
  type ChartFrame,
  equityFigure,
  type MarketData,
  todayFigure,
  weekFigure,
  zscoreFigure,
} from "../../src/charts/figures.ts";
import { PALETTES } from "../../src/charts/palette.ts";
import { CHART_DENSITY, CHART_HEIGHT, CHART_WIDTH, createRenderer } from "../../src/charts/render.ts";
import { tickSize } from "../../src/units.ts";

const { createCanvas, loadImage } = createRequire(import.meta.url)(
  "@napi-rs/canvas",
) as typeof import("@napi-rs/canvas");

const AT_MS = 1_795_618_800_000;
const renderer = createRenderer();

const frame = (theme: "dark" | "light"): ChartFrame => ({
  theme,
  zone: "America/Chicago",
  nowMs: AT_MS,
  badge: "DEMO",
  marketLabel: "synthetic market, seed 7, ×10",
  contractName: "MES Z6",
  tickSize: tickSize("0.25"),
});

const DAY: MarketData = {
  bars: Array.from({ length: 300 }, (_, index) => ({
    closeAtMs: AT_MS + index * 5_000,
    closeTicks: 20_000 + Math.round(30 * Math.sin(index / 20)),
    z: index < 60 ? null : 2.5 * Math.sin(index / 9),
    meanTicks: index < 60 ? null : 20_000,
    sdTicks: index < 60 ? null : 8,
    blockedBy: index % 97 === 96 ? "pause" : null,
  })),
  trades: [
    {
      tradeId: 1,
      tradeDate: "2026-11-25",
      side: "long",
      entryAtMs: AT_MS + 400_000,
      exitAtMs: AT_MS + 500_000,
      entryPriceTicks: 19_980,
      exitPriceTicks: 20_001,
      netCents: 2_511,
    },
  ],
  position: { position: 1, entryAtMs: AT_MS + 1_000_000, averageTicks: 19_990, stopTicks: 19_830, targetTicks: 20_230 },
  entryZ: 2,
  exitZ: 0.5,
  samplingMs: 5_000,
};

const one = DAY.bars.slice(-1);

const figures = (theme: "dark" | "light"): readonly (readonly [string, Figure])[] => [
  ["today", todayFigure(frame(theme), DAY)],
  ["today with one bar", todayFigure(frame(theme), { ...DAY, bars: one, trades: [], position: null })],
  ["today without bars", todayFigure(frame(theme), { ...DAY, bars: [], trades: [] })],
  ["zscore", zscoreFigure(frame(theme), DAY)],
  ["equity", equityFigure(frame(theme), "equity", DAY.trades)],
  ["drawdown", equityFigure(frame(theme), "drawdown", DAY.trades)],
  ["week", weekFigure(frame(theme), DAY.trades)],
  ["week without trades", weekFigure(frame(theme), [])],
];

test.each([...figures("dark"), ...figures("light")])(
  "%s is a picture of full size on its theme's ground",
  async (_, figure) => {
    const png = await renderer.png(figure);
    const image = await loadImage(png);
    const canvas = createCanvas(image.width, image.height);
    canvas.getContext("2d").drawImage(image, 0, 0);
    const { data } = canvas.getContext("2d").getImageData(0, 0, image.width, image.height);
    const ground = [data[0], data[1], data[2]].map((value) => (value ?? 0).toString(16).padStart(2, "0")).join("");
    let inked = 0;
    for (let at = 0; at < data.length; at += 4) if (data[at] !== data[0] || data[at + 1] !== data[1]) inked += 1;

    expect([image.width, image.height]).toEqual([CHART_WIDTH * CHART_DENSITY, CHART_HEIGHT * CHART_DENSITY]);
    expect(`#${ground}`).toBe(PALETTES[figure.theme].paper);
    expect(inked).toBeGreaterThan(2_000);
    expect(png.length).toBeLessThan(1_000_000);
  },
);
