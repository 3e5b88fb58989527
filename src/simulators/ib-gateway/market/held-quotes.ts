// Bars have four prints a minute and no quotes. Between two prints the book stands still, and a standing book is told
// again each second: a client that wants fresh quotes could not trade on bars at all.
import type { Flow } from "./market.ts";
import type { RecordSink } from "./queue.ts";

/** A standing quote is told again this often, in ms of the market. */
const AGAIN_EVERY_MS = 1_000;
/** It stands for so long at most; a longer silence is a gap in the recording, and quotes go stale in it. */
const STANDS_MS_MAX = 60_000;

type Quote = {
  readonly sinceMs: number;
  readonly bidTicks: number;
  readonly askTicks: number;
  readonly bidSize: number;
  readonly askSize: number;
};

/** Returns the flow with its quotes told again until the next event. */
export function holdQuotes(inner: Flow): Flow {
  let held: Quote | null = null;
  let toldAtMs = 0;

  const againAtMs = (): number | null => {
    const innerAtMs = inner.nextAtMs();
    const atMs = toldAtMs + AGAIN_EVERY_MS;
    // Behind the last event nothing is known any more.
    if (held === null || innerAtMs === null || atMs >= innerAtMs || atMs - held.sinceMs > STANDS_MS_MAX) return null;
    return atMs;
  };
  const watched = (sink: RecordSink): RecordSink => ({
    trade: (atMs, priceTicks, size, aggressor) => sink.trade(atMs, priceTicks, size, aggressor),
    quote: (atMs, bidTicks, askTicks, bidSize, askSize) => {
      held = { sinceMs: atMs, bidTicks, askTicks, bidSize, askSize };
      toldAtMs = atMs;
      sink.quote(atMs, bidTicks, askTicks, bidSize, askSize);
    },
  });

  return {
    nextAtMs: () => againAtMs() ?? inner.nextAtMs(),
    run: (untilMs, sink) => {
      const heard = watched(sink);
      for (;;) {
        const againMs = againAtMs();
        const nextMs = againMs ?? inner.nextAtMs();
        if (nextMs === null || nextMs >= untilMs) return;
        if (againMs === null || held === null) {
          // One moment at a time: what stands changes with it. Times are whole milliseconds here.
          inner.run(nextMs + 1, heard);
          continue;
        }
        toldAtMs = againMs;
        sink.quote(againMs, held.bidTicks, held.askTicks, held.bidSize, held.askSize);
      }
    },
  };
}
