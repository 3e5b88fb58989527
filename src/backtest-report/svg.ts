// Small charts as SVG text: lines over bars, and columns. Colours come from the page's style; widths are in pixels.

/** Is the size of a chart; `isNarrow` is a phone's: fewer labels. */
export type Size = { readonly width: number; readonly height: number; readonly isNarrow: boolean };

/** Is a label on the axis below, at a place in the data. */
export type Mark = { readonly at: number; readonly text: string };

/** Is something drawn over a line: a trade from entry to exit. */
export type Stroke = {
  readonly fromAt: number;
  readonly from: number;
  readonly toAt: number;
  readonly to: number;
  readonly kind: "won" | "lost";
  /** Entry sign: 1 = long, −1 = short, 0 = none drawn. */
  readonly side: 1 | -1 | 0;
  readonly title: string;
};

/** Is a line over the places 0, 1, 2 …; NaN breaks it. */
export type LineChart = {
  readonly values: ArrayLike<number>;
  /** Where the area under it is filled to; null = not filled. */
  readonly base: number | null;
  readonly kind: "equity" | "drawdown" | "price" | "z";
  /** Dashed lines across. */
  readonly levels: readonly number[];
  /** What is written on the axis: round numbers, or the levels themselves. */
  readonly axis: "round" | "levels";
  readonly marks: readonly Mark[];
  readonly strokes: readonly Stroke[];
  readonly label: (value: number) => string;
  readonly title: string;
};

const LABEL_HEIGHT = 13;
/** Half the width of a character, so that a label in the middle of its column keeps to the picture. */
const HALF_CHARACTER = 3.5;
const EDGE = { left: 8, right: 64, top: 10, bottom: 22 } as const;

/** Returns the chart of a line. */
export function lineChart(chart: LineChart, size: Size): string {
  const { values, levels } = chart;
  const bottom = chart.marks.length === 0 ? EDGE.top : EDGE.bottom;
  const plot = { width: size.width - EDGE.left - EDGE.right, height: size.height - EDGE.top - bottom };
  const [least, most] = span(values, chart.base === null ? levels : [...levels, chart.base], chart.strokes);
  const room = (most - least || 1) * 0.06;
  const [low, high] = [least - room, most + room];
  const x = (at: number): number => EDGE.left + (values.length < 2 ? 0.5 : at / (values.length - 1)) * plot.width;
  const y = (value: number): number => EDGE.top + ((high - value) / (high - low)) * plot.height;
  const path = thinned(values, Math.max(50, Math.round(plot.width)), x, y);
  const base = chart.base === null ? "" : areaOf(path, y(chart.base), chart.kind);
  const across = (value: number, kind: string): string =>
    `<line class="${kind}" x1="${EDGE.left}" x2="${EDGE.left + plot.width}" y1="${fixed(y(value))}" y2="${fixed(y(value))}"/>`;
  const written = (value: number): string =>
    `<text class="axis" x="${EDGE.left + plot.width + 6}" y="${fixed(y(value) + 4)}">${escaped(chart.label(value))}</text>`;
  const round = chart.axis === "round" ? gridValues(low, high, size.height < 140 ? 3 : 6) : [];
  const grid = round.map((value) => across(value, "grid") + written(value));
  // A level whose label would stand on that of one before it goes without.
  const labelled: number[] = [];
  for (const value of chart.axis === "levels" ? levels.toSorted((one, other) => Math.abs(other) - Math.abs(one)) : []) {
    if (labelled.every((other) => Math.abs(y(other) - y(value)) >= LABEL_HEIGHT)) labelled.push(value);
  }
  const dashes = levels.map((value) => across(value, "level") + (labelled.includes(value) ? written(value) : ""));
  const line = path.map((piece) => `<path class="line ${chart.kind}" d="${piece.d}"/>`).join("");
  const strokes = chart.strokes.map((stroke) => strokeOf(stroke, x, y)).join("");
  return svg(size, chart.title, [...grid, base, ...dashes, line, strokes, below(chart.marks, x, size)].join(""));
}

/** Is one column, above or below 0. */
export type Column = {
  readonly label: string;
  readonly value: number;
  readonly title: string;
  readonly kind: "won" | "lost" | "plain";
};

/** Returns the chart of columns. `label` prints a value of the axis. */
export function columnChart(
  columns: readonly Column[],
  label: (value: number) => string,
  title: string,
  size: Size,
): string {
  const plot = { width: size.width - EDGE.left - EDGE.right, height: size.height - EDGE.top - EDGE.bottom };
  const values = columns.map((column) => column.value);
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
  const room = (most - least || 1) * 0.06;
  const [low, high] = [least === 0 ? 0 : least - room, most === 0 ? 0 : most + room];
  const y = (value: number): number => EDGE.top + ((high - value) / (high - low || 1)) * plot.height;
  const step = plot.width / Math.max(1, columns.length);
  const bars = columns.map(({ value, title: text, kind }, at) => {
    const [top, bottom] = [y(Math.max(0, value)), y(Math.min(0, value))];
    const height = value === 0 ? 0 : Math.max(1, bottom - top);
    return `<rect class="${kind}" x="${fixed(EDGE.left + at * step + step * 0.1)}" y="${fixed(top)}" width="${fixed(step * 0.8)}" height="${fixed(height)}" rx="1.5"><title>${escaped(text)}</title></rect>`;
  });
  const grid = gridValues(low, high, 4).map(
    (value) =>
      `<line class="${value === 0 ? "zero" : "grid"}" x1="${EDGE.left}" x2="${EDGE.left + plot.width}" y1="${fixed(y(value))}" y2="${fixed(y(value))}"/>` +
      `<text class="axis" x="${EDGE.left + plot.width + 6}" y="${fixed(y(value) + 4)}">${escaped(label(value))}</text>`,
  );
  const widest = Math.max(1, ...columns.map((column) => column.label.length)) * 7 + 8;
  const every = Math.max(1, Math.ceil(widest / step));
  const labels = columns.map(({ label: text }, at) =>
    at % every === 0 && text !== ""
      ? `<text class="axis middle" x="${fixed(Math.max(EDGE.left + (at + 0.5) * step, text.length * HALF_CHARACTER))}" y="${size.height - 6}">${escaped(text)}</text>`
      : "",
  );
  return svg(size, title, [...grid, ...bars, ...labels].join(""));
}

/** Returns text safe between tags and in attributes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

type Piece = { readonly d: string; readonly fromX: number; readonly toX: number };

/** At most the highest and the lowest of the values that fall on one pixel, in their order. */
function thinned(
  values: ArrayLike<number>,
  pixels: number,
  x: (at: number) => number,
  y: (value: number) => number,
): Piece[] {
  const pieces: Piece[] = [];
  let points: [number, number][] = [];
  const flush = (): void => {
    if (points.length > 0) {
      const d = points.map(([px, py], at) => `${at === 0 ? "M" : "L"}${fixed(px)} ${fixed(py)}`).join("");
      pieces.push({ d, fromX: points[0]?.[0] ?? 0, toX: points.at(-1)?.[0] ?? 0 });
    }
    points = [];
  };
  const stride = Math.max(1, Math.ceil(values.length / pixels));
  for (let from = 0; from < values.length; from += stride) {
    let [lowAt, highAt] = [-1, -1];
    for (let at = from; at < Math.min(values.length, from + stride); at++) {
      const value = values[at] as number;
      if (Number.isNaN(value)) continue;
      if (lowAt < 0 || value < (values[lowAt] as number)) lowAt = at;
      if (highAt < 0 || value > (values[highAt] as number)) highAt = at;
    }
    if (lowAt < 0) {
      flush();
      continue;
    }
    for (const at of lowAt === highAt ? [lowAt] : [lowAt, highAt].toSorted((a, b) => a - b))
      points.push([x(at), y(values[at] as number)]);
  }
  flush();
  return pieces;
}

function areaOf(path: readonly Piece[], baseY: number, kind: string): string {
  return path
    .map(
      ({ d, fromX, toX }) =>
        `<path class="area ${kind}" d="${d}L${fixed(toX)} ${fixed(baseY)}L${fixed(fromX)} ${fixed(baseY)}Z"/>`,
    )
    .join("");
}

function strokeOf(stroke: Stroke, x: (at: number) => number, y: (value: number) => number): string {
  const [fromX, fromY, toX, toY] = [x(stroke.fromAt), y(stroke.from), x(stroke.toAt), y(stroke.to)];
  const line = `<path class="trade" d="M${fixed(fromX)} ${fixed(fromY)}L${fixed(toX)} ${fixed(toY)}"/>`;
  // An entry is a triangle that points where it bets on, an exit a dot.
  const tip = stroke.side * -6;
  const entry =
    stroke.side === 0
      ? ""
      : `<path class="entry" d="M${fixed(fromX)} ${fixed(fromY)}l-4 ${-tip}h8Z"/><circle class="exit" cx="${fixed(toX)}" cy="${fixed(toY)}" r="2.5"/>`;
  return `<g class="${stroke.kind}"><title>${escaped(stroke.title)}</title>${line}${entry}</g>`;
}

function below(marks: readonly Mark[], x: (at: number) => number, size: Size): string {
  const widest = Math.max(1, ...marks.map((mark) => mark.text.length)) * 7 + 14;
  let freeFrom = Number.NEGATIVE_INFINITY;
  return marks
    .map(({ at, text }) => {
      const px = x(at);
      if (px < freeFrom || px + widest / 2 > size.width) return "";
      freeFrom = px + widest;
      return `<line class="grid" x1="${fixed(px)}" x2="${fixed(px)}" y1="${EDGE.top}" y2="${size.height - EDGE.bottom}"/><text class="axis" x="${fixed(px + 3)}" y="${size.height - 6}">${escaped(text)}</text>`;
    })
    .join("");
}

function span(values: ArrayLike<number>, levels: readonly number[], strokes: readonly Stroke[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const take = (value: number): void => {
    if (value < low) low = value;
    if (value > high) high = value;
  };
  for (let at = 0; at < values.length; at++) take(values[at] as number);
  for (const level of levels) take(level);
  for (const { from, to } of strokes) {
    take(from);
    take(to);
  }
  return low <= high ? [low, high] : [0, 1];
}

function gridValues(low: number, high: number, count: number): number[] {
  const rough = (high - low || 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5].find((factor) => factor * power >= rough) ?? 10);
  const values: number[] = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step)
    values.push(Math.abs(value) < step / 1e6 ? 0 : value);
  return values;
}

function svg({ width, height, isNarrow }: Size, title: string, inside: string): string {
  return `<svg class="${isNarrow ? "narrow" : "wide"}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">${inside}</svg>`;
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}
