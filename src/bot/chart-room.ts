// Pictures for the chat: snapshot and history → figure → PNG → photo. Drawn one at a time and off the handlers; when
// drawing fails, the caption goes out as text with the reason.

import type { Figure, Theme } from "../charts/figure.ts";
import {
  type ChartBar,
  type ChartFrame,
  type ChartTrade,
  equityFigure,
  type MarketData,
  todayFigure,
  weekFigure,
  zscoreFigure,
} from "../charts/figures.ts";
import type { Clock } from "../clock.ts";
import { errorFields, type Log, redact } from "../log.ts";
import type { Desk, DeskSnapshot, RoundTripRow } from "../trading/desk.ts";
import { DAY_MS } from "../units.ts";
import { ANSWER_MS_MAX, type Channel, type Place } from "./channel.ts";
import { type ChartKind, captionOf, chartButtons } from "./views/captions.ts";
import { lines } from "./views/rich.ts";
import { sizeOf } from "./views/words.ts";

/** Is what is wanted, for whom and where. */
type ChartOrder = {
  readonly kind: ChartKind;
  readonly theme: Theme;
  readonly asFile: boolean;
  readonly place: Place;
  readonly personId: number;
  /** The chart message that it takes the place of; null = a new message. */
  readonly messageId: number | null;
};

/** Draws and sends. */
export type ChartRoom = {
  /** Queues a picture; false where too many wait already. */
  order(order: ChartOrder): boolean;
};

/** So many pictures may wait to be drawn. */
const ORDERS_MAX = 8;
/** At most so many pictures are kept for the same data. */
const CACHE_MAX = 10;
/** Charts of the day begin at the session's start, but look back at most so far. */
const SPAN_MS_MAX = DAY_MS;

/** Returns a room that draws with `draw` (the renderer) and announces itself with `announce`. */
export function createChartRoom(options: {
  desk: Desk;
  channel: Channel;
  wall: Clock;
  log: Log;
  draw: (figure: Figure) => Promise<Uint8Array>;
  /** Shows "sending a photo…" in the chat. */
  announce: (place: Place) => void;
}): ChartRoom {
  const { desk, channel, log } = options;
  const waiting: ChartOrder[] = [];
  const cache = new Map<string, Uint8Array>();
  let isDrawing = false;

  const next = async (): Promise<void> => {
    const order = waiting.shift();
    if (order === undefined) return;
    const snap = desk.snapshot();
    const trips = desk.roundTrips();
    const caption = captionOf(snap, order.kind, shownTrips(order.kind, trips));
    const common = {
      place: order.place,
      priority: "chart",
      personId: order.personId,
      giveUpAfterMs: ANSWER_MS_MAX,
    } as const;
    const buttons = chartButtons(order.kind, order.theme);
    try {
      const bytes = await picture(order, snap, trips);
      const name = `${order.kind}-${snap.symbol.toLowerCase()}-${order.theme}.png`;
      void channel.post({
        ...common,
        content: order.asFile
          ? { type: "document", bytes, name, caption, buttons }
          : { type: "photo", bytes, name, caption, buttons, messageId: () => order.messageId },
      });
    } catch (thrown) {
      log.error({ ...errorFields(thrown), kind: order.kind }, "a chart could not be drawn");
      const reason = redact(thrown instanceof Error ? thrown.message : String(thrown));
      const text = lines(caption, `The picture could not be drawn: ${reason}`);
      void channel.post({ ...common, content: { type: "text", view: { text, buttons: [] }, isSilent: false } });
    }
  };

  const picture = async (
    order: ChartOrder,
    snap: DeskSnapshot,
    trips: readonly RoundTripRow[],
  ): Promise<Uint8Array> => {
    const key = [
      order.kind,
      order.theme,
      snap.status.bars,
      trips.length,
      snap.revision,
      snap.status.position?.position ?? 0,
      snap.status.today.tradeDate,
    ].join("|");
    const kept = cache.get(key);
    if (kept !== undefined) return kept;
    options.announce(order.place);
    const bytes = await options.draw(figureOf(order, desk, snap, trips));
    cache.set(key, bytes);
    for (const old of cache.keys()) {
      if (cache.size <= CACHE_MAX) break;
      cache.delete(old);
    }
    return bytes;
  };

  const run = async (): Promise<void> => {
    if (isDrawing) return;
    isDrawing = true;
    while (waiting.length > 0) await next();
    isDrawing = false;
  };

  return {
    order: (order) => {
      if (waiting.length >= ORDERS_MAX) return false;
      waiting.push(order);
      void run();
      return true;
    },
  };
}

function shownTrips(kind: ChartKind, trips: readonly RoundTripRow[]): readonly RoundTripRow[] {
  if (kind !== "week") return trips;
  const days = [...new Set(trips.map((trip) => trip.tradeDate))].sort().slice(-5);
  return trips.filter((trip) => days.includes(trip.tradeDate));
}

function figureOf(order: ChartOrder, desk: Desk, snap: DeskSnapshot, trips: readonly RoundTripRow[]): Figure {
  const frame: ChartFrame = {
    theme: order.theme,
    zone: snap.settings.session.timeZone,
    nowMs: snap.nowMs,
    badge: snap.badge,
    marketLabel: snap.marketLabel,
    contractName: snap.contractName,
    tickSize: sizeOf(snap),
  };
  const trades: readonly ChartTrade[] = trips;
  switch (order.kind) {
    case "today":
      return todayFigure(frame, marketData(desk, snap, trades));
    case "zscore":
      return zscoreFigure(frame, marketData(desk, snap, trades));
    case "equity":
    case "drawdown":
      return equityFigure(frame, order.kind, trades);
    case "week":
      return weekFigure(frame, trades);
    default:
      return order.kind satisfies never;
  }
}

function marketData(desk: Desk, snap: DeskSnapshot, trades: readonly ChartTrade[]): MarketData {
  const { hours, marketOpen, position } = snap.status;
  const sessionMs = marketOpen === true && hours !== null ? hours.fromMs : 0;
  const bars: readonly ChartBar[] = desk.series(Math.max(sessionMs, snap.nowMs - SPAN_MS_MAX));
  const firstMs = bars[0]?.closeAtMs ?? snap.nowMs;
  const { entryZ, exitZ, samplingMs } = snap.settings.strategy;
  return { bars, trades: trades.filter((trade) => trade.exitAtMs >= firstMs), position, entryZ, exitZ, samplingMs };
}
