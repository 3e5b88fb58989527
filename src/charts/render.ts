// Chart description → PNG, 1000×600 at twice the density. The only user of chartjs-node-canvas and of Chart.js.
import { createRequire } from "node:module";
import "chartjs-adapter-luxon";
import {
  _adapters,
  type Chart,
  type ChartConfiguration,
  type ChartDataset,
  Legend,
  type LegendItem,
  type Plugin,
  type ScaleOptionsByType,
} from "chart.js";
import { ChartJSNodeCanvas } from "chartjs-node-canvas";
import { DateTime } from "luxon";
import { DAY_MS, HOUR_MS, MINUTE_MS, printCents, printCentsSigned, printCount } from "../units.ts";
import type { Figure, Level, Line, Marks, Pane } from "./figure.ts";
import { PALETTES, type Palette } from "./palette.ts";

/** Is the size in CSS pixels; the picture has twice as many each way. */
export const CHART_WIDTH = 1_000;
/** Is the height in CSS pixels. */
export const CHART_HEIGHT = 600;
/** Is how many picture pixels a CSS pixel has. */
export const CHART_DENSITY = 2;

/** Chart letters are drawn in these; DejaVu has the signs (− ≥ σ ±) that the Latin part of Inter lacks. */
const FONT = "Inter, DejaVu Sans";

/** Text sizes in CSS pixels: at twice the density none is below 26, so that a phone's recompressed picture is readable. */
const SIZES = { title: 19, text: 14, empty: 22 } as const;

/** A line's width in CSS pixels (3 px and more in the picture). */
const WIDTHS = { line: 2, thin: 1.5 } as const;

/** Returns a renderer; the fonts are registered and Chart.js is set up once. */
export function createRenderer(): { png(figure: Figure): Promise<Buffer> } {
  const canvas = new ChartJSNodeCanvas({
    width: CHART_WIDTH,
    height: CHART_HEIGHT,
    chartCallback: (chartJs) => {
      // The adapter patches the ESM copy of Chart.js, chartjs-node-canvas draws with the CJS copy: hand its methods over.
      const own = Object.getOwnPropertyDescriptors(_adapters._date.prototype as object);
      const methods = Object.entries(own).filter(([name]) => name !== "constructor");
      const target = (chartJs as unknown as { _adapters: typeof _adapters })._adapters;
      target._date.override(Object.fromEntries(methods.map(([name, method]) => [name, method.value])));
    },
  });
  registerFonts();
  return { png: (figure) => canvas.renderToBuffer(configuration(figure), "image/png") };
}

let hasFonts = false;

function registerFonts(): void {
  if (hasFonts) return;
  const require = createRequire(import.meta.url);
  // Through the same package that chartjs-node-canvas draws with: a font is known to one canvas library only.
  const { GlobalFonts } = require("@napi-rs/canvas") as typeof import("@napi-rs/canvas");
  for (const [file, family] of [
    ["@fontsource/inter/files/inter-latin-400-normal.woff2", "Inter"],
    ["@fontsource/inter/files/inter-latin-600-normal.woff2", "Inter"],
    ["dejavu-fonts-ttf/ttf/DejaVuSans.ttf", "DejaVu Sans"],
    ["dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf", "DejaVu Sans"],
  ] as const) {
    if (GlobalFonts.registerFromPath(require.resolve(file), family) === null) {
      throw new Error(`The chart font ${file} could not be read: run npm run setup`);
    }
  }
  hasFonts = true;
}

type LegendLabels = (chart: Chart) => LegendItem[];

/** Chart.js takes a legend's dashes from the points, which have none: a dashed line's sign is dashed too. */
const dashedLabels: LegendLabels = (chart) => {
  const { defaults } = Legend as unknown as { defaults: { labels: { generateLabels: LegendLabels } } };
  return defaults.labels.generateLabels(chart).map((item) => {
    const { borderDash } = (chart.data.datasets[item.datasetIndex ?? 0] ?? {}) as { borderDash?: number[] };
    return { ...item, lineDash: borderDash ?? [] };
  });
};

type XY = { x: number; y: number | null };
type Scale = Partial<ScaleOptionsByType<"linear" | "time" | "category">> & { position?: "left" | "right" };

function configuration(figure: Figure): ChartConfiguration<"line" | "bar", XY[]> {
  const palette = PALETTES[figure.theme];
  const scales: Record<string, object> = { x: xScale(figure, palette) };
  // Of axes that share a stack on the right the first one is drawn on top.
  for (const [index, pane] of figure.panes.entries()) scales[`y${index}`] = yScale(pane, index, figure, palette);
  return {
    type: "line",
    data: { datasets: figure.panes.flatMap((pane, index) => datasets(pane, `y${index}`, palette)) },
    options: {
      responsive: false,
      animation: false,
      devicePixelRatio: CHART_DENSITY,
      font: { family: FONT, size: SIZES.text },
      color: palette.text,
      layout: { padding: { left: 12, right: 16, top: 10, bottom: 8 } },
      scales: scales as NonNullable<ChartConfiguration<"line">["options"]>["scales"] & object,
      plugins: {
        title: {
          display: true,
          text: figure.title,
          align: "start",
          color: palette.text,
          font: { family: FONT, size: SIZES.title, weight: 600 },
          padding: { top: 2, bottom: 2 },
        },
        subtitle: {
          display: true,
          text: figure.subtitle,
          align: "start",
          color: palette.quiet,
          font: { family: FONT, size: SIZES.text },
          padding: { bottom: 4 },
        },
        legend: {
          display: figure.panes.length > 0,
          position: "bottom",
          align: "start",
          labels: {
            usePointStyle: true,
            pointStyleWidth: 26,
            boxHeight: 10,
            padding: 14,
            color: palette.text,
            font: { family: FONT, size: SIZES.text },
            filter: (item) => item.text !== "",
            generateLabels: dashedLabels,
          },
        },
        tooltip: { enabled: false },
      },
    },
    plugins: [paper(palette), levels(figure, palette), markTexts(figure, palette), emptyText(figure, palette)],
  };
}

function xScale(figure: Figure, palette: Palette): Scale {
  const ticks = { color: palette.quiet, font: { family: FONT, size: SIZES.text }, maxRotation: 0, autoSkipPadding: 28 };
  const common = { grid: { color: palette.grid }, border: { color: palette.grid }, display: figure.panes.length > 0 };
  if (figure.axis.type === "names") {
    return { type: "category", labels: [...figure.axis.names], offset: true, ticks, ...common } as unknown as Scale;
  }
  const { zone } = figure.axis;
  const times = figure.panes.flatMap((pane) => pane.lines.flatMap((line) => line.points.map((point) => point.x)));
  const isDays = times.length > 0 && Math.max(...times) - Math.min(...times) > 3 * DAY_MS;
  const format = isDays ? "d LLL" : "HH:mm";
  return {
    type: "time",
    adapters: { date: { zone } },
    time: {
      displayFormats: Object.fromEntries(
        ["second", "minute", "hour", "day", "week", "month", "quarter", "year"].map((unit) => [unit, format]),
      ),
    },
    ticks: { ...ticks, autoSkip: false },
    afterBuildTicks: (axis: { min: number; max: number; ticks: { value: number }[] }) => {
      axis.ticks = roundMoments(axis.min, axis.max, zone).map((value) => ({ value }));
    },
    ...common,
  } as unknown as Scale;
}

/** Distances between the moments at the axis. */
const STEPS_MS: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 2, 3, 4, 6, 12].map((hours) => hours * HOUR_MS),
  ...[1, 2, 7, 14, 28, 91, 365].map((days) => days * DAY_MS),
];

/** The axis has room for so many moments. */
const MOMENTS_MAX = 9;

/** Returns round local moments within the span: chart.js alone would write 08:31, 08:40, 08:49. */
function roundMoments(minMs: number, maxMs: number, zone: string): readonly number[] {
  const stepMs = STEPS_MS.find((step) => (maxMs - minMs) / step <= MOMENTS_MAX) ?? (maxMs - minMs) / MOMENTS_MAX;
  const dayStartMs = DateTime.fromMillis(minMs, { zone }).startOf("day").toMillis();
  const moments: number[] = [];
  for (let atMs = dayStartMs + Math.ceil((minMs - dayStartMs) / stepMs) * stepMs; atMs <= maxMs; atMs += stepMs)
    moments.push(atMs);
  return moments.length < 2 ? [minMs, maxMs] : moments;
}

function yScale(pane: Pane, index: number, figure: Figure, palette: Palette): Scale {
  const wanted = shownLevels(pane).map((level) => level.y);
  // The upper pane's lowest number would stand on the lower pane's highest one: both keep away from the border.
  const isStacked = figure.panes.length > 1;
  return {
    type: "linear",
    position: "right",
    stack: "panes",
    stackWeight: pane.weight,
    ...(wanted.length === 0 ? {} : { suggestedMin: Math.min(...wanted), suggestedMax: Math.max(...wanted) }),
    grace: isStacked ? "8%" : "4%",
    grid: { color: palette.grid },
    border: { color: palette.grid },
    // The thresholds of z are the only numbers worth reading at its axis.
    ...(pane.unit === "z"
      ? {
          afterBuildTicks: (axis: { ticks: { value: number }[] }) => {
            axis.ticks = pane.levels.map((level) => ({ value: level.y })).sort((one, other) => one.value - other.value);
          },
        }
      : {}),
    ticks: {
      color: palette.quiet,
      font: { family: FONT, size: SIZES.text },
      maxTicksLimit: index === 0 ? 7 : 5,
      callback: (value: string | number, at: number, all: readonly unknown[]) =>
        isStacked && pane.unit !== "z" && (at === 0 || at === all.length - 1)
          ? ""
          : printTick(Number(value), pane.unit),
    },
  } as unknown as Scale;
}

/** A level further outside the lines than this share of their span would press them flat: it is told at the edge. */
const OUTSIDE_SHARE_MAX = 0.6;

/** Returns the levels that the scale is stretched to show. */
function shownLevels(pane: Pane): readonly Level[] {
  if (pane.unit !== "price") return pane.levels;
  const values = pane.lines.flatMap((line) => line.points.flatMap((point) => (point.y === null ? [] : [point.y])));
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = (high - low) * OUTSIDE_SHARE_MAX;
  return pane.levels.filter((level) => level.y >= low - room && level.y <= high + room);
}

function printTick(value: number, unit: Pane["unit"]): string {
  switch (unit) {
    case "price":
      return Number.isInteger(value) ? printCount(value) : value.toFixed(2).replace(/\B(?=(\d{3})+\.)/g, ",");
    case "z":
      return `${value < 0 ? "−" : value > 0 ? "+" : ""}${Math.abs(value).toFixed(1)}`;
    case "usd":
      return printCents(Math.round(value * 100)).replace(/\.00$/, "");
    default:
      return unit satisfies never;
  }
}

function datasets(pane: Pane, axis: string, palette: Palette): ChartDataset<"line" | "bar", XY[]>[] {
  return [
    ...pane.marks.map((marks) => markSet(marks, axis, palette)),
    ...pane.lines.map((line) => lineSet(line, pane, axis, palette)),
    ...pane.bars.map(
      (bars): ChartDataset<"bar", XY[]> => ({
        type: "bar",
        label: bars.label,
        yAxisID: axis,
        data: bars.values.map((y, x) => ({ x, y })),
        backgroundColor: bars.values.map((y) => palette.inks[y < 0 ? "loss" : "gain"]),
        maxBarThickness: 90,
        pointStyle: "rect",
      }),
    ),
  ];
}

function lineSet(line: Line, pane: Pane, axis: string, palette: Palette): ChartDataset<"line", XY[]> {
  const colour = palette.inks[line.ink];
  const hasOnePoint = line.points.filter((point) => point.y !== null).length === 1;
  return {
    type: "line",
    label: line.label,
    yAxisID: axis,
    data: line.points.map((point) => ({ x: point.x, y: point.y })),
    borderColor: colour,
    borderWidth: line.isThin ? WIDTHS.thin : WIDTHS.line,
    borderDash: line.isDashed ? [7, 5] : [],
    borderJoinStyle: "round",
    stepped: pane.unit === "usd" && pane.bars.length === 0 ? "before" : false,
    // A line of one point would not be seen at all.
    pointRadius: hasOnePoint ? 4 : 0,
    pointBackgroundColor: colour,
    pointStyle: hasOnePoint ? "circle" : "line",
    spanGaps: false,
    fill: line.isFilled ? { value: 0 } : false,
    backgroundColor: `${colour}40`,
    segment:
      pane.unit === "usd" && line.ink === "gain"
        ? {
            borderColor: (at: { p0: { parsed: { y: number | null } } }) =>
              (at.p0.parsed.y ?? 0) < 0 ? palette.inks.loss : colour,
          }
        : {},
  };
}

function markSet(marks: Marks, axis: string, palette: Palette): ChartDataset<"line", XY[]> {
  const colour = palette.inks[marks.ink];
  return {
    type: "line",
    label: marks.label,
    yAxisID: axis,
    data: marks.points.map(({ x, y }) => ({ x, y })),
    showLine: false,
    pointStyle: marks.shape === "ring" ? "circle" : "triangle",
    pointRotation: marks.shape === "down" ? 180 : 0,
    rotation: marks.shape === "down" ? 180 : 0,
    pointRadius: marks.shape === "ring" ? 5 : 9,
    backgroundColor: marks.shape === "ring" ? "transparent" : colour,
    pointBackgroundColor: marks.shape === "ring" ? "transparent" : colour,
    borderColor: marks.shape === "ring" ? colour : palette.paper,
    pointBorderColor: marks.shape === "ring" ? colour : palette.paper,
    borderWidth: 2,
    clip: false,
  } as ChartDataset<"line", XY[]>;
}

type Drawing = Plugin<"line" | "bar">;

function paper(palette: Palette): Drawing {
  return {
    id: "paper",
    beforeDraw: ({ ctx, width, height }) => {
      ctx.save();
      ctx.fillStyle = palette.paper;
      ctx.fillRect(0, 0, width, height);
      ctx.restore();
    },
  };
}

/** The words of two levels nearer than this, in CSS pixels, would lie over each other. */
const LEVEL_TEXT_HEIGHT = 17;

function levels(figure: Figure, palette: Palette): Drawing {
  return {
    id: "levels",
    beforeDatasetsDraw: ({ ctx, scales, chartArea }) => {
      figure.panes.forEach((pane, index) => {
        const axis = scales[`y${index}`];
        if (axis === undefined) return;
        ctx.save();
        ctx.font = `400 ${SIZES.text}px ${FONT}`;
        ctx.textAlign = "left";
        for (const level of pane.levels) {
          const y = Math.min(axis.bottom - 2, Math.max(axis.top + 2, axis.getPixelForValue(level.y)));
          drawLevel(ctx as unknown as Brush, level, y, chartArea, palette);
        }
        ctx.restore();
      });
    },
    // The words come last, over the lines, on a ground of their own.
    afterDatasetsDraw: ({ ctx, scales, chartArea }) => {
      figure.panes.forEach((pane, index) => {
        const axis = scales[`y${index}`];
        if (axis === undefined) return;
        let aboveY = Number.NEGATIVE_INFINITY;
        ctx.save();
        ctx.font = `600 ${SIZES.text}px ${FONT}`;
        ctx.textBaseline = "middle";
        const labelled = pane.levels.filter((level) => level.label !== "").sort((one, other) => other.y - one.y);
        for (const level of labelled) {
          const trueY = axis.getPixelForValue(level.y);
          const off = trueY < axis.top ? " ↑ off the scale" : trueY > axis.bottom ? " ↓ off the scale" : "";
          const inside = Math.min(axis.bottom - LEVEL_TEXT_HEIGHT, Math.max(axis.top + LEVEL_TEXT_HEIGHT, trueY));
          const y = Math.max(inside, aboveY + LEVEL_TEXT_HEIGHT);
          aboveY = y;
          const text = `${level.label}${off}`;
          const width = ctx.measureText(text).width;
          ctx.fillStyle = palette.paper;
          ctx.fillRect(chartArea.left + 4, y - LEVEL_TEXT_HEIGHT / 2, width + 8, LEVEL_TEXT_HEIGHT);
          ctx.fillStyle = palette.inks[level.ink];
          ctx.fillText(text, chartArea.left + 8, y);
        }
        ctx.restore();
      });
    },
  };
}

type Brush = {
  strokeStyle: string;
  lineWidth: number;
  setLineDash(pattern: number[]): void;
  beginPath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  stroke(): void;
};

function drawLevel(ctx: Brush, level: Level, y: number, area: { left: number; right: number }, palette: Palette): void {
  ctx.strokeStyle = palette.inks[level.ink];
  ctx.lineWidth = level.isDashed ? WIDTHS.thin : 1;
  ctx.setLineDash(level.isDashed ? [9, 6] : []);
  ctx.beginPath();
  ctx.moveTo(area.left, y);
  ctx.lineTo(area.right, y);
  ctx.stroke();
}

function markTexts(figure: Figure, palette: Palette): Drawing {
  return {
    id: "markTexts",
    afterDatasetsDraw: ({ ctx, scales }) => {
      const x = scales["x"];
      if (x === undefined) return;
      ctx.save();
      ctx.font = `600 ${SIZES.text}px ${FONT}`;
      ctx.textAlign = "center";
      ctx.textBaseline = "top";
      figure.panes.forEach((pane, index) => {
        const y = scales[`y${index}`];
        if (y === undefined) return;
        for (const marks of pane.marks) {
          ctx.fillStyle = palette.inks[marks.ink];
          for (const point of marks.points) {
            // "S" stands above its mark and "L" below, where the price has come from.
            const shift = point.text === "S" ? -26 : 9;
            if (point.text !== "")
              ctx.fillText(point.text, x.getPixelForValue(point.x), y.getPixelForValue(point.y) + shift);
          }
        }
        for (const bars of pane.bars) {
          bars.values.forEach((value, at) => {
            ctx.fillStyle = palette.text;
            ctx.fillText(
              printCentsSigned(Math.round(value * 100)),
              x.getPixelForValue(at),
              y.getPixelForValue(value) + (value < 0 ? 6 : -20),
            );
          });
        }
      });
      ctx.restore();
    },
  };
}

function emptyText(figure: Figure, palette: Palette): Drawing {
  return {
    id: "emptyText",
    afterDraw: ({ ctx, width, height }) => {
      if (figure.emptyText === "") return;
      ctx.save();
      ctx.font = `600 ${SIZES.empty}px ${FONT}`;
      ctx.fillStyle = palette.quiet;
      ctx.textAlign = "center";
      figure.emptyText.split("\n").forEach((line, index) => {
        ctx.fillText(line, width / 2, height / 2 + index * SIZES.empty * 1.5);
      });
      ctx.restore();
    },
  };
}
