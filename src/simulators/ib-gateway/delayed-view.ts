// What the market looked like a quarter of an hour ago: all that an account without a subscription is shown.
import type { MarketView } from "./feed.ts";

/** How old delayed data are, in market time (exchange rules for delayed data of CME). */
export const DELAY_MS = 15 * 60_000;

/** Is a view that runs behind. */
export type DelayedView = {
  /** Takes the view of `atMs`; times never go back. */
  note(atMs: number, view: Readonly<MarketView>): void;
  /** Returns the latest noted view that is old enough, undefined before there is one. */
  view(): Readonly<MarketView> | undefined;
};

/** Returns a view that has noted nothing. Of a quarter of an hour it keeps one view for each time it is told. */
export function createDelayedView(): DelayedView {
  const waiting: { readonly atMs: number; readonly view: Readonly<MarketView> }[] = [];
  let shown: Readonly<MarketView> | undefined;
  return {
    note: (atMs, view) => {
      waiting.push({ atMs, view: { ...view } });
      let old = 0;
      for (let next = waiting[old]; next !== undefined && next.atMs <= atMs - DELAY_MS; next = waiting[old]) {
        shown = next.view;
        old += 1;
      }
      if (old > 0) waiting.splice(0, old);
    },
    view: () => shown,
  };
}
