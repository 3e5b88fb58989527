// Makes a market source of a flow of events and of a past: hands records over in whatever steps are asked for, always the
// same ones, and answers questions about bars from what has happened and from what lay before.
import type { Calendar } from "../calendar.ts";
import type { HistoryBar, MarketSource } from "../market-source.ts";
import { NO_PRICE, RECORD_BYTES } from "../records.ts";
import { type BarStore, createBucket, groupBars, MINUTE_BARS_MAX, MINUTE_MS, quotedBar } from "./bars.ts";
import { preludeBars, preludeBeginsMs } from "./prelude.ts";
import { createRecordQueue, type RecordSink } from "./queue.ts";

/** Produces events in order of time. */
export type Flow = {
  /** Returns the time of the next event, fractions of a millisecond allowed; null when there is none any more. */
  nextAtMs(): number | null;
  /** Tells the sink every event before `untilMs`. */
  run(untilMs: number, sink: RecordSink): void;
};

/** Is where the past that was never traded here begins to be walked backwards. */
export type Anchor = {
  readonly seed: number;
  readonly volatility: number;
  readonly atMs: number;
  readonly priceTicks: number;
};

/** Events are produced for at most so much market time at once, in milliseconds; it bounds the queue. */
const STRETCH_MS = 1_000;

/** Returns a source. `bars` holds what was traded before; the next `skip` records have been handed over by an earlier run. */
export function createMarketSource(options: {
  readonly label: string;
  readonly startMs: number;
  readonly endMs: number | null;
  readonly restUntil?: MarketSource["restUntil"];
  readonly ownPastFromMs?: number;
  readonly calendar: Calendar;
  readonly flow: Flow;
  readonly bars: BarStore;
  readonly anchor: Anchor | null;
  readonly skip: number;
  /** Returns the state after `handedOver` records of this flow in all. */
  readonly state: (handedOver: number) => string;
  /** Is called between two stretches with the number of records that the flow has produced. */
  readonly stretched?: (produced: number) => void;
}): MarketSource {
  const { flow, bars, calendar, anchor } = options;
  const queue = createRecordQueue();
  let produced = 0;
  let handedOver = 0;
  const sink: RecordSink = {
    trade: (atMs, priceTicks, size, aggressor) => {
      produced += 1;
      bars.trade(atMs, priceTicks, size);
      queue.trade(atMs, priceTicks, size, aggressor);
    },
    quote: (atMs, bidTicks, askTicks, bidSize, askSize) => {
      produced += 1;
      if (bidTicks !== NO_PRICE && askTicks !== NO_PRICE) bars.quote(atMs, bidTicks, askTicks);
      queue.quote(atMs, bidTicks, askTicks, bidSize, askSize);
    },
  };
  /** Produces one stretch up to and at `untilMs`; returns false when there was nothing to produce. */
  const stretch = (untilMs: number): boolean => {
    const nextAtMs = flow.nextAtMs();
    if (nextAtMs === null || nextAtMs >= untilMs + 1) return false;
    options.stretched?.(produced);
    flow.run(Math.min(untilMs + 1, Math.floor(nextAtMs) + STRETCH_MS), sink);
    return true;
  };

  /** The past never changes: the longest answer of each length is kept. */
  const pasts = new Map<number, { readonly bars: readonly HistoryBar[]; readonly count: number }>();
  const past = (barMs: number, count: number): readonly HistoryBar[] => {
    if (anchor === null) return [];
    const known = pasts.get(barMs);
    if (known !== undefined && known.count >= count) return known.bars;
    const { atMs: anchorMs, priceTicks: anchorTicks } = anchor;
    const bars = preludeBars({ ...anchor, calendar, anchorMs, anchorTicks, barMs, count });
    pasts.set(barMs, { bars, count });
    return bars;
  };

  while (handedOver < options.skip) {
    const dropped = queue.drop(options.skip - handedOver);
    handedOver += dropped;
    if (dropped === 0 && !stretch(Number.MAX_SAFE_INTEGER - 1)) break;
  }

  return {
    label: options.label,
    startMs: options.startMs,
    endMs: options.endMs,
    restUntil: options.restUntil ?? (() => null),
    ...(options.ownPastFromMs === undefined ? {} : { ownPastFromMs: options.ownPastFromMs }),
    advance: (untilMs, batch) => {
      const room = Math.floor(batch.bytes.length / RECORD_BYTES);
      const before = batch.length;
      do {
        handedOver += queue.moveTo(batch);
      } while (batch.length < room && stretch(untilMs));
      return batch.length - before;
    },
    nextAtMs: () => {
      const nextAtMs = queue.oldestAtMs() ?? flow.nextAtMs();
      return nextAtMs === null ? null : Math.floor(nextAtMs);
    },
    history: (barMs, count, beforeMs, price = "TRADES") => {
      const seen = groupBars(bars.kept(barMs, beforeMs, count, price), createBucket(barMs, calendar));
      if (seen.length >= count || barMs % MINUTE_MS !== 0) return seen.slice(-count);
      const before = past(barMs, count).map((bar) => quotedBar(bar, price));
      return joined(before, seen)
        .filter((bar) => bar.openAtMs < beforeMs)
        .slice(-count);
    },
    // Drawing the whole past for the sake of its first bar would hold everybody up.
    firstBarMs: () =>
      anchor === null
        ? (bars.kept(MINUTE_MS, Number.MAX_SAFE_INTEGER, MINUTE_BARS_MAX, "TRADES")[0]?.openAtMs ?? null)
        : preludeBeginsMs(calendar, anchor.atMs),
    state: () => options.state(handedOver),
  };
}

/** A bar may have begun before the first event and gone on after it. */
function joined(before: readonly HistoryBar[], after: readonly HistoryBar[]): HistoryBar[] {
  const [last, first] = [before.at(-1), after[0]];
  if (last === undefined || first === undefined || last.openAtMs !== first.openAtMs) return [...before, ...after];
  return [...before.slice(0, -1), ...groupBars([last, first], () => last.openAtMs), ...after.slice(1)];
}
