// The price, drawn on a canvas: bars, fills as arrows, working orders and the position as lines, and what stands under the
// pointer. Colours come from the style sheet, so light and dark are one drawing.

const HEIGHT_MIN = 220;
const AXIS_PX = 62;
const FOOT_PX = 22;
const TOP_PX = 10;
/** A scale line is at least so far from the next. */
const GRID_PX = 44;
const LABEL_PX = 90;

/** Returns the chart on a canvas; what stands under the pointer is said in `readout`. */
export function createChart(canvas, readout) {
  let view;
  let print;
  let pointerX;
  const pen = canvas.getContext("2d");

  const colour = (name) => getComputedStyle(canvas).getPropertyValue(`--${name}`).trim();

  function draw() {
    if (view === undefined) return;
    const { width } = canvas.getBoundingClientRect();
    const height = Math.max(HEIGHT_MIN, canvas.clientHeight);
    const ratio = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = `11px ${getComputedStyle(canvas).fontFamily}`;
    const { bars, barMs } = view.chart;
    const colours = Object.fromEntries(
      ["text", "faint", "line", "accent", "buy", "sell", "bar", "warn-text", "rise", "fall"].map((name) => [
        name,
        colour(name),
      ]),
    );
    if (bars.length === 0) {
      pen.fillStyle = colours.faint;
      pen.textAlign = "center";
      pen.fillText("no prices yet", width / 2, height / 2);
      readout.textContent = "";
      return;
    }
    const plot = { left: 4, right: width - AXIS_PX, top: TOP_PX, bottom: height - FOOT_PX };
    // Bars without a trade are absent: places are by number, not by time, so a closed night takes no room.
    const step = (plot.right - plot.left) / Math.max(60, bars.length);
    const x = (index) => plot.right - (bars.length - index - 0.5) * step;
    const [low, high] = range(bars, view.position);
    const y = (ticks) => plot.bottom - ((ticks - low) / (high - low)) * (plot.bottom - plot.top);

    grid(plot, low, high, y, colours, width);
    times(plot, bars, x, colours, height);
    const placed = { plot, bars, barMs, step, x, y, low, high, colours, width };
    drawLines(placed);
    drawBars(placed);
    drawFills(placed);
    drawLast(placed);
    drawPointer(placed);
  }

  function range(bars, position) {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const [, , barHigh, barLow] of bars) {
      low = Math.min(low, barLow);
      high = Math.max(high, barHigh);
    }
    if (position.position !== 0 && position.averageTicks > 0) {
      const room = high - low + 8;
      if (position.averageTicks > low - room && position.averageTicks < high + room) {
        low = Math.min(low, position.averageTicks);
        high = Math.max(high, position.averageTicks);
      }
    }
    const margin = Math.max(2, (high - low) * 0.08);
    return [low - margin, high + margin];
  }

  function grid(plot, low, high, y, colours, width) {
    const lines = Math.max(2, Math.floor((plot.bottom - plot.top) / GRID_PX));
    const step = niceTicks((high - low) / lines);
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    pen.lineWidth = 1;
    for (let ticks = Math.ceil(low / step) * step; ticks <= high; ticks += step) {
      const at = Math.round(y(ticks)) + 0.5;
      pen.strokeStyle = colours.line;
      line(plot.left, at, plot.right, at);
      pen.fillStyle = colours.faint;
      pen.fillText(print.price(ticks), plot.right + 6, at, width - plot.right - 6);
    }
  }

  function times(plot, bars, x, colours, height) {
    pen.textAlign = "center";
    pen.textBaseline = "alphabetic";
    pen.fillStyle = colours.faint;
    const stepPx = (plot.right - plot.left) / Math.max(60, bars.length);
    const every = Math.max(1, Math.ceil(LABEL_PX / stepPx));
    let lastDay = print.at.day(bars[0][0]);
    for (let index = bars.length - 1 - (every >> 1); index >= 0; index -= every) {
      const day = print.at.day(bars[index][0]);
      const text = index - every < 0 && day !== lastDay ? day : print.at.short(bars[index][0]);
      const half = pen.measureText(text).width / 2;
      if (x(index) - half > plot.left && x(index) + half < plot.right) pen.fillText(text, x(index), height - 6);
      lastDay = day;
    }
  }

  function drawBars({ bars, step, x, y, colours }) {
    const body = Math.max(1, Math.min(9, step * 0.64));
    for (const [index, [, open, high, low, close]] of bars.entries()) {
      const middle = x(index);
      pen.strokeStyle = close >= open ? colours.rise : colours.fall;
      pen.fillStyle = pen.strokeStyle;
      pen.lineWidth = 1;
      line(middle, y(high), middle, y(low));
      const top = y(Math.max(open, close));
      pen.fillRect(middle - body / 2, top, body, Math.max(1.2, y(Math.min(open, close)) - top));
    }
  }

  function drawLines({ plot, y, low, high, colours, width }) {
    pen.textBaseline = "middle";
    const { position, averageTicks } = view.position;
    const lines = view.orders
      .filter((order) => order.isWorking && order.isTransmitted && order.whyHeld !== "child")
      .map((order) => ({
        ticks: order.triggerTicks ?? order.limitTicks,
        text: `${order.action} ${order.quantity - order.filled} ${order.orderType}`,
        colour: order.action === "BUY" ? colours.buy : colours.sell,
      }))
      .filter(({ ticks }) => ticks !== null);
    if (position !== 0) {
      const text = `${position > 0 ? "LONG" : "SHORT"} ${Math.abs(position)}`;
      lines.push({ ticks: averageTicks, text, colour: colours.text });
    }
    for (const { ticks, text, colour: ink } of lines) {
      if (ticks < low || ticks > high) continue;
      const at = Math.round(y(ticks)) + 0.5;
      pen.strokeStyle = ink;
      pen.setLineDash([5, 4]);
      line(plot.left, at, plot.right, at);
      pen.setLineDash([]);
      pen.fillStyle = ink;
      pen.textAlign = "left";
      pen.fillText(text, plot.left + 4, at - 8);
    }
    // What lies outside is named at the edge that it lies behind.
    const above = lines.filter(({ ticks }) => ticks > high).length;
    const below = lines.filter(({ ticks }) => ticks < low).length;
    pen.fillStyle = colours.faint;
    pen.textAlign = "right";
    if (above > 0) pen.fillText(`▲ ${above} order${above === 1 ? "" : "s"} above`, plot.right - 4, plot.top + 6, width);
    if (below > 0)
      pen.fillText(`▼ ${below} order${below === 1 ? "" : "s"} below`, plot.right - 4, plot.bottom - 8, width);
  }

  function drawFills({ bars, barMs, x, y, colours }) {
    for (const fill of view.fills) {
      const index = barAt(bars, fill.atMs, barMs);
      if (index === -1) continue;
      const isBuy = fill.action === "BUY";
      const [atX, atY] = [x(index), y(fill.priceTicks)];
      const size = 6;
      pen.beginPath();
      pen.moveTo(atX, atY);
      pen.lineTo(atX - size, atY + (isBuy ? size * 1.7 : -size * 1.7));
      pen.lineTo(atX + size, atY + (isBuy ? size * 1.7 : -size * 1.7));
      pen.closePath();
      pen.fillStyle = isBuy ? colours.buy : colours.sell;
      pen.fill();
      pen.strokeStyle = colour("card");
      pen.lineWidth = 1.5;
      pen.stroke();
    }
  }

  function drawLast({ plot, y, colours }) {
    const { lastTicks } = view.book;
    if (lastTicks === undefined) return;
    const at = Math.min(plot.bottom, Math.max(plot.top, y(lastTicks)));
    pen.fillStyle = colours.accent;
    pen.fillRect(plot.right + 2, at - 9, AXIS_PX - 4, 18);
    pen.fillStyle = colour("accent-text");
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    pen.fillText(print.price(lastTicks), plot.right + 6, at + 0.5, AXIS_PX - 10);
  }

  function drawPointer({ plot, bars, barMs, step, x, colours }) {
    const index =
      pointerX === undefined
        ? bars.length - 1
        : Math.min(bars.length - 1, Math.max(0, Math.round(bars.length - 0.5 - (plot.right - pointerX) / step)));
    const [openAtMs, open, high, low, close] = bars[index];
    const fills = view.fills.filter((fill) => barAt(bars, fill.atMs, barMs) === index);
    readout.textContent = [
      `${print.at.day(openAtMs)} ${print.at.time(openAtMs)}`,
      `open ${print.price(open)}`,
      `high ${print.price(high)}`,
      `low ${print.price(low)}`,
      `close ${print.price(close)}`,
      ...fills.map((fill) => `${fill.action} ${fill.quantity} at ${print.price(fill.priceTicks)}`),
    ].join(" · ");
    if (pointerX === undefined) return;
    pen.strokeStyle = colours.faint;
    pen.setLineDash([2, 3]);
    line(Math.round(x(index)) + 0.5, plot.top, Math.round(x(index)) + 0.5, plot.bottom);
    pen.setLineDash([]);
  }

  function line(fromX, fromY, toX, toY) {
    pen.beginPath();
    pen.moveTo(fromX, fromY);
    pen.lineTo(toX, toY);
    pen.stroke();
  }

  canvas.addEventListener("pointermove", (event) => {
    pointerX = event.offsetX;
    draw();
  });
  canvas.addEventListener("pointerleave", () => {
    pointerX = undefined;
    draw();
  });
  new ResizeObserver(draw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  return {
    show: (next, printers) => {
      view = next;
      print = printers;
      const label = `Price chart of ${view.contract.localSymbol}: last ${print.price(view.book.lastTicks)}, ${view.fills.length} fills`;
      if (canvas.getAttribute("aria-label") !== label) canvas.setAttribute("aria-label", label);
      draw();
    },
  };
}

/** Returns the bar that a time lies in, −1 for none. */
function barAt(bars, atMs, barMs) {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bars[middle][0] <= atMs) low = middle + 1;
    else high = middle;
  }
  const index = low - 1;
  return index >= 0 && atMs < bars[index][0] + barMs ? index : -1;
}

/** Returns a distance of scale lines in ticks that reads well: 1, 2, 4, 8, 20, 40 … */
function niceTicks(least) {
  for (let power = 1; ; power *= 10) {
    for (const step of [1, 2, 4, 8]) if (step * power >= least) return step * power;
  }
}
