// How fast the synthetic market is made, how fast the exchange takes it in, and how it moves: the figures behind
// docs/synthetic-market.md. A script that prints; it asserts nothing.
import { wallClock } from "../../src/clock.ts";
import { createExchange } from "../../src/engine.ts";
import { createCalendar } from "../../src/simulators/ib-gateway/calendar.ts";
import { MEASURED } from "../../src/simulators/ib-gateway/market/character.ts";
import { createSyntheticMarket, DEFAULT_SEED } from "../../src/simulators/ib-gateway/market/synthetic.ts";
import { KIND_TRADE, RECORD_BYTES, recordA, recordAtMs, recordKind } from "../../src/simulators/ib-gateway/records.ts";

const START_MS = 1_525_699_800_000; // 7 May 2018 08:30 Chicago
const SPAN_MS = 3.5 * 3_600_000;
const BATCH_RECORDS = 4_096;

const beganMs = wallClock.nowMs();
const source = createSyntheticMarket({
  seed: DEFAULT_SEED,
  startMs: START_MS,
  startPriceTicks: 20_000,
  volatility: 1,
  character: MEASURED,
  hours: "exchange",
  calendar: createCalendar("exchange"),
  state: null,
});
const madeMs = wallClock.nowMs();
const bytes = new Uint8Array(BATCH_RECORDS * RECORD_BYTES);
const batch = { bytes, view: new DataView(bytes.buffer), length: 0 };
const pieces: Uint8Array[] = [];
let [records, trades] = [0, 0];
const closes = new Map<number, number>();
while (source.advance(START_MS + SPAN_MS, batch) > 0) {
  records += batch.length;
  pieces.push(bytes.slice(0, batch.length * RECORD_BYTES));
  batch.length = 0;
}
const ranMs = wallClock.nowMs();
for (const piece of pieces) {
  const view = new DataView(piece.buffer);
  for (let at = 0; at < piece.length; at += RECORD_BYTES) {
    if (recordKind(view, at) !== KIND_TRADE) continue;
    trades += 1;
    closes.set(Math.floor((recordAtMs(view, at) - START_MS) / 1_000), recordA(view, at));
  }
}
console.log(`seed ${DEFAULT_SEED}, 3.5 regular hours: ${records} records, ${trades} trades`);
console.log(`made with its past in ${madeMs - beganMs} ms, ${perSecond(records, ranMs - madeMs)} records/s`);
for (const seconds of [1, 5, 60]) console.log(`sd of ${seconds} s: ${deviation(seconds).toFixed(2)} ticks`);

const exchange = createExchange(
  {
    accounts: ["bench"],
    latencyMs: 5,
    extraSlippageTicks: 0,
    levelSize: 50,
    startCashCents: 1_000_000,
    instruments: [
      {
        instrumentId: 0,
        symbol: "MES",
        tickSizeE4: 2_500,
        tickValueCents: 125,
        feeCents: 57,
        initMarginCents: 118_800,
        maintMarginCents: 108_000,
      },
    ],
  },
  null,
);
const readMs = wallClock.nowMs();
for (const piece of pieces) exchange.market(piece);
console.log(`exchange without orders: ${perSecond(records, Math.max(1, wallClock.nowMs() - readMs))} records/s`);

function perSecond(count: number, tookMs: number): string {
  return Math.round((count * 1_000) / tookMs).toLocaleString("en-US");
}

/** Returns the root mean square change of the last trade's price over so many seconds. */
function deviation(seconds: number): number {
  let [squares, count] = [0, 0];
  let [last, before]: (number | undefined)[] = [undefined, undefined];
  for (let second = 0; second < SPAN_MS / 1_000; second += 1) {
    last = closes.get(second) ?? last;
    if ((second + 1) % seconds !== 0 || last === undefined) continue;
    if (before !== undefined) {
      squares += (last - before) ** 2;
      count += 1;
    }
    before = last;
  }
  return Math.sqrt(squares / count);
}
