// Databento's CSV files, raw and pretty: what each schema becomes on the tape, and which are refused with a way out.
import { expect, test } from "vitest";
import type { RecordSink } from "../../../../src/simulators/ib-gateway/market/queue.ts";
import { readRows } from "../../../../src/simulators/ib-gateway/market/recording-rows.ts";
import { createTape } from "../../../../src/simulators/ib-gateway/market/tape.ts";
import { NO_PRICE } from "../../../../src/simulators/ib-gateway/records.ts";

const START_MS = 1_703_545_200_000; // 25 Dec 2023 17:00 Chicago
const TRADES =
  "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,depth,price,size,flags,ts_in_delta,sequence,symbol";
const MBP1 =
  "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,depth,price,size,flags,ts_in_delta,sequence,bid_px_00,ask_px_00,bid_sz_00,ask_sz_00,bid_ct_00,ask_ct_00,symbol";
const OHLCV = "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol";

/** Returns what a file puts on the tape, its notes, and its problem. */
function played(lines: readonly string[], contract: string | null = null) {
  const tape = createTape();
  const notes: string[] = [];
  const problem = readRows(lines.join("\n"), tape, { tickSizeE4: 2_500, contract }, (note) => notes.push(note));
  const events: string[] = [];
  const price = (ticks: number): string => (ticks === NO_PRICE ? "-" : String(ticks / 4));
  const sink: RecordSink = {
    trade: (atMs, ticks, size, aggressor) =>
      events.push(`${atMs - START_MS} T ${price(ticks)} ×${size} by ${aggressor}`),
    quote: (atMs, bid, ask, bidSize, askSize) =>
      events.push(`${atMs - START_MS} Q ${bidSize}×${price(bid)}/${price(ask)}×${askSize}`),
  };
  for (let at = 0; at < tape.count(); at += 1) tape.tell(at, sink, 0);
  return { events, notes: [...new Set(notes)], problem };
}

const at = (ms: number): string => `170354520000${ms}000000`.padEnd(19, "0");

test.each([
  [
    "raw",
    [
      MBP1,
      `${at(1)},${at(0)},1,1,206299,A,B,0,4800000000000,4,128,0,1,4800000000000,4800250000000,4,7,1,2,ESH4`,
      `${at(2)},${at(1)},1,1,206299,T,B,0,4800250000000,3,0,0,2,4800000000000,4800250000000,4,7,1,2,ESH4`,
      `${at(3)},${at(2)},1,1,206299,C,A,0,4800250000000,3,128,0,3,4800000000000,4800250000000,4,4,1,1,ESH4`,
      `${at(4)},${at(3)},1,1,206299,R,N,0,9223372036854775807,0,128,0,4,9223372036854775807,9223372036854775807,0,0,0,0,ESH4`,
    ],
  ],
  [
    "pretty",
    [
      MBP1,
      "2023-12-25T23:00:00.001000000Z,2023-12-25T23:00:00.000900000Z,1,1,206299,A,B,0,4800.000000000,4,128,0,1,4800.000000000,4800.250000000,4,7,1,2,ESH4",
      "2023-12-25T23:00:00.002000000Z,2023-12-25T23:00:00.001900000Z,1,1,206299,T,B,0,4800.250000000,3,0,0,2,4800.000000000,4800.250000000,4,7,1,2,ESH4",
      "2023-12-25T23:00:00.003000000Z,2023-12-25T23:00:00.002900000Z,1,1,206299,C,A,0,4800.250000000,3,128,0,3,4800.000000000,4800.250000000,4,4,1,1,ESH4",
      "2023-12-25T23:00:00.004000000Z,2023-12-25T23:00:00.003900000Z,1,1,206299,R,N,0,,0,128,0,4,,,0,0,0,0,ESH4",
    ],
  ],
])("mbp-1, %s: quotes where the best prices changed, trades with who crossed, a cleared book", (_form, lines) => {
  expect(played(lines)).toEqual({
    events: ["1 Q 4×4800/4800.25×7", "2 T 4800.25 ×3 by 1", "3 Q 4×4800/4800.25×4", "4 Q 0×-/-×0"],
    notes: ["contract ESH4"],
    problem: null,
  });
});

test("trades get their quotes by the tick rule, and a spread is not taken for the contract", () => {
  const { events, notes } = played([
    TRADES,
    `${at(1)},${at(1)},0,1,1,T,A,0,4800250000000,3,0,0,1,ESH4`,
    `${at(2)},${at(2)},0,1,2,T,A,0,-50250000000,900,0,0,2,ESH4-ESM4`,
    `${at(3)},${at(3)},0,1,1,T,B,0,4800500000000,1,0,0,3,ESH4`,
  ]);

  expect(events).toEqual([
    "1 Q 1×4800/4800.25×1",
    "1 T 4800.25 ×3 by 1",
    "3 Q 1×4800.25/4800.5×1",
    "3 T 4800.5 ×1 by 1",
  ]);
  expect(notes).toEqual(["contract ESH4", "quotes derived from trades"]);
});

test("without symbols the contract is its number, and another can be asked for", () => {
  const header = TRADES.replace(",symbol", "");
  const rows = [
    header,
    `${at(1)},${at(1)},0,1,17,T,A,0,4800250000000,3,0,0,1`,
    `${at(2)},${at(2)},0,1,18,T,A,0,4900000000000,9,0,0,2`,
  ];

  expect(played(rows).notes).toContain("contract 18");
  expect(played(rows, "17").events.at(-1)).toBe("1 T 4800.25 ×3 by 1");
});

test("bars of a minute and of a second become four prints within their time", () => {
  const minute = played([OHLCV, `${at(0)},33,1,1,4800000000000,4801000000000,4799750000000,4800500000000,40,ESH4`]);
  const second = played([
    OHLCV,
    "2023-12-25T23:00:00.000000000Z,32,1,1,4800.500000000,4801.000000000,4799.750000000,4800.000000000,3,ESH4",
  ]);

  expect(minute.events.filter((event) => event.includes("T"))).toEqual([
    "0 T 4800 ×10 by 1",
    "20000 T 4799.75 ×10 by 2",
    "40000 T 4801 ×10 by 1",
    "59999 T 4800.5 ×10 by 2",
  ]);
  expect(second.events.filter((event) => event.includes("T")).map((event) => event.split(" ")[0])).toEqual([
    "0",
    "333",
    "666",
    "999",
  ]);
});

test("a crossed book, as before an opening, is no market, and the label says so", () => {
  const { events, notes } = played([
    MBP1,
    `${at(1)},${at(1)},1,1,1,A,B,0,4801000000000,4,128,0,1,4801000000000,4800250000000,4,7,1,2,ESH4`,
    `${at(2)},${at(2)},1,1,1,T,N,0,4800500000000,9,128,0,1,4800250000000,4800500000000,4,7,1,2,ESH4`,
  ]);

  expect(events).toEqual(["1 Q 0×-/-×0", "2 Q 4×4800.25/4800.5×7", "2 T 4800.5 ×9 by 0"]);
  expect(notes).toContain("crossed books left out");
});

test.each([
  [
    "an hour's bars",
    [OHLCV, `${at(0)},34,1,1,4800000000000,4801000000000,4799750000000,4800500000000,40,ESH4`],
    2,
    /rtype 34 are too long/,
  ],
  [
    "orders one by one",
    [
      "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,price,size,channel_id,order_id,flags,ts_in_delta,sequence,symbol",
    ],
    1,
    /mbo, order by order; played are trades, tbbo/,
  ],
  ["definitions", ["ts_recv,ts_event,rtype,publisher_id,instrument_id,raw_symbol"], 1, /has no trades; played are/],
  [
    "a price off the grid",
    [TRADES, `${at(1)},${at(1)},0,1,1,T,A,0,4800100000000,3,0,0,1,ESH4`],
    2,
    /4800.100000000 is no whole number of ticks/,
  ],
  [
    "a time that goes back",
    [
      TRADES,
      `${at(2)},${at(1)},0,1,1,T,A,0,4800250000000,3,0,0,1,ESH4`,
      `${at(1)},${at(1)},0,1,1,T,A,0,4800250000000,3,0,0,1,ESH4`,
    ],
    3,
    /goes back by 1 ms/,
  ],
])("a file with %s is refused by its line", (_what, lines, line, text) => {
  const { problem } = played(lines);

  expect(problem?.line).toBe(line);
  expect(problem?.text).toMatch(text);
});
