// The bot at a price limit: what it can't sell it keeps asking to, says that it is not flat, and is flat when the market
// comes back; on both roads alike.
import { describe, expect, test } from "vitest";
import type { HistoryBar } from "../../src/simulators/ib-gateway/market-source.ts";
import { FAKE_START_MS } from "../support/fake-clock.ts";
import { type Run, run } from "../support/lockstep.ts";
import { inProcess, type MakeRoad, overTcp } from "../support/roads.ts";
import { createScriptedMarket, type MarketRow } from "../support/scripted-market.ts";

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
/** 14:59:45 of the day before; the run begins at 09:00. */
const FIXING_MS = FAKE_START_MS - DAY_MS + 6 * 3_600_000 - 15 * SECOND_MS;
const REFERENCE = 20_000;
const LIMIT = 18_600;
const FALL_AT = 10;
const JUMP_AT = 14;
const BACK_AT = 80;
const END_AT = 100;
const AT_THE_LIMIT = ["halted", "flattening", "not_flat", "exit_filled", "flat_confirmed"];

/** The gateway wants a past to answer with. */
const pastAround = (around: number): HistoryBar[] =>
  [-8, -7, -6, -5, -4, -3, -2, -1].map((at) => {
    const ticks = around + (-at % 2);
    return {
      ...{ openAtMs: FAKE_START_MS + at * SECOND_MS, volume: 1 },
      ...{ openTicks: ticks, highTicks: ticks, lowTicks: ticks, closeTicks: ticks },
    };
  });
const PAST = pastAround(REFERENCE);

/** A second with a quote one tick around a price, and a trade at it. */
function second(at: number, ticks: number): MarketRow[] {
  const atMs = FAKE_START_MS + at * SECOND_MS + 100;
  return [
    { atMs, bid: ticks - 1, ask: ticks + 1 },
    { atMs: atMs + 1, trade: ticks },
  ];
}

/** A window around the reference, a fall that the bot buys or none, then far below the limit, then back above it. */
function locked(falls: boolean): MarketRow[] {
  const found: MarketRow[] = [{ atMs: FIXING_MS, trade: REFERENCE }];
  for (let at = 1; at <= END_AT; at += 1) {
    if (at >= BACK_AT) found.push(...second(at, LIMIT + 50));
    else if (at >= JUMP_AT) found.push(...second(at, LIMIT - 400));
    else if (at >= FALL_AT && falls) found.push(...second(at, REFERENCE - 12));
    else found.push(...second(at, REFERENCE + (at % 2)));
  }
  return found;
}

/** A fall that the bot buys, a dozen ticks above the limit, where the market then stays. */
function near(): MarketRow[] {
  const found: MarketRow[] = [{ atMs: FIXING_MS, trade: REFERENCE }];
  for (let at = 1; at <= END_AT; at += 1) found.push(...second(at, at >= FALL_AT ? LIMIT + 12 : LIMIT + 24 + (at % 2)));
  return found;
}

function trade(make: MakeRoad, rows: readonly MarketRow[], past = PAST): Promise<Run> {
  return run(make, {
    source: createScriptedMarket(FAKE_START_MS, rows, past),
    endMs: FAKE_START_MS + END_AT * SECOND_MS,
    overrides: ["strategy.sampling=1s", "strategy.window=8", "strategy.entryZ=1.5"],
  });
}

describe.each([
  ["straight to the exchange", inProcess],
  ["over the wire", overTcp],
] as const)("%s", (_road, make) => {
  test("a position that can't be sold at the limit is told and sold when the market comes back", async () => {
    const found = await trade(make, locked(true));

    expect(found.roundTrips).toMatchObject([
      {
        ...{ side: "buy", reason: "daily_loss", exitPriceTicks: LIMIT + 49 },
        ...{ exitAtMs: FAKE_START_MS + BACK_AT * SECOND_MS },
      },
    ]);
    const told = found.notices.filter(({ event }) => AT_THE_LIMIT.includes(event));
    expect(told.map(({ event }) => event)).toEqual(AT_THE_LIMIT);
    const [, , notFlat] = told.map(({ atMs }) => (atMs - FAKE_START_MS) / SECOND_MS);
    expect(notFlat).toBeLessThan(BACK_AT);
  });

  test("an exit whose price lies beyond the limit is refused, and the bot gets out all the same", async () => {
    const found = await trade(make, near(), pastAround(LIMIT + 24));

    expect(found.roundTrips).toMatchObject([{ side: "buy", reason: "zexit", exitPriceTicks: LIMIT + 11 }]);
    const told = found.notices.map(({ event }) => event);
    expect(told).toContain("order_rejected");
    expect(told.indexOf("exit_filled")).toBeGreaterThan(told.indexOf("order_rejected"));
  });

  test("nothing is bought at the limit", async () => {
    const found = await trade(make, locked(false));

    expect(found.roundTrips).toEqual([]);
    expect(found.blocked.get("data_age")).toBeGreaterThan(0);
  });
});
