// What is said and remembered of the daily price limits. Where they stand and what they let happen is the exchange's.
import type { ExchangeLimits } from "./exchange.ts";

/** Is a stretch of the market that a price limit changed: bars of it are held to the same prices. Null is no limit that way. */
export type HeldSpan = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly downTicks: number | null;
  readonly upTicks: number | null;
};

/** So many stretches are remembered; the oldest go first. A day that hits every limit there is has five. */
const SPANS_MAX = 200;

/** Notes that the market was changed between two times, under these limits; a stretch under the same ones goes on. */
export function noteHeld(spans: HeldSpan[], fromMs: number, toMs: number, limits: ExchangeLimits): void {
  const downTicks = limits.down?.priceTicks ?? null;
  const upTicks = limits.up?.priceTicks ?? null;
  const last = spans.at(-1);
  if (last !== undefined && last.downTicks === downTicks && last.upTicks === upTicks) {
    spans[spans.length - 1] = { ...last, toMs };
    return;
  }
  spans.push({ fromMs, toMs, downTicks, upTicks });
  if (spans.length > SPANS_MAX) spans.shift();
}

/** Returns a price as it was within a stretch of time, where a limit may have held it; of several limits the widest. */
export function holder(spans: readonly HeldSpan[], fromMs: number, beforeMs: number): (ticks: number) => number {
  const over = spans.filter((span) => span.toMs >= fromMs && span.fromMs < beforeMs);
  if (over.length === 0) return (ticks) => ticks;
  const down = Math.min(...over.map((span) => span.downTicks ?? Number.NEGATIVE_INFINITY));
  const up = Math.max(...over.map((span) => span.upTicks ?? Number.POSITIVE_INFINITY));
  return (ticks) => Math.min(Math.max(ticks, down), up);
}

/** Returns one plain line about the limits, with prices as `price` prints them. */
export function printLimits(limits: ExchangeLimits, price: (ticks: number) => string): string {
  const { referenceTicks, down, up, standing } = limits;
  if (referenceTicks === null) {
    return "No price limits: what traded before the last close of the cash market (15:00 Chicago) is not known.";
  }
  const measured = `reference ${price(referenceTicks)}`;
  if (standing === "down" && down !== null)
    return `LIMIT DOWN: offered at ${price(down.priceTicks)}, no bids; nothing trades lower (${down.percent} %, ${measured})`;
  if (standing === "up" && up !== null)
    return `LIMIT UP: bid at ${price(up.priceTicks)}, no offers; nothing trades higher (${up.percent} %, ${measured})`;
  const print = (limit: ExchangeLimits["down"]): string =>
    limit === null ? "none" : `${price(limit.priceTicks)} (${limit.percent} %)`;
  return `Price limits: down ${print(down)}, up ${print(up)}; ${measured}`;
}
