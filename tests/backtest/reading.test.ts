// Data as people give it: what is refused with its line and column, and what is told and lived with.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { timeReader } from "../../src/bar-data/cells.ts";
import { printBarDataProblem } from "../../src/bar-data/problem.ts";
import { type BarData, type ReadOptions, readBars } from "../../src/bar-data/read.ts";
import type { Result } from "../../src/result.ts";
import { instantText, tickSize } from "../../src/units.ts";

const folder = mkdtempSync(join(tmpdir(), "bars-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PARQUET = join(import.meta.dirname, "../fixtures/parquet");
const OPTIONS: ReadOptions = {
  tick: tickSize("0.25"),
  samplingMs: 60_000,
  window: 2,
  contract: null,
  expiry: null,
  hours: { timeZone: "America/Chicago", openMinute: 17 * 60 },
  badTickTicks: 25,
  keepTicks: false,
  wantsMiddle: false,
};
const HEADER = "ts,open,high,low,close";
const row = (minute: string, price = "4000.00"): string =>
  `2024-05-07T${minute}:00Z,${price},${price},${price},${price}`;

describe("refused, with line and column", () => {
  test.each<[string, string[], Partial<ReadOptions>, RegExp]>([
    ["a missing column", ["ts,open,high,low", "x"], {}, /line 1: the header .* has no column "close"/],
    ["no header at all", [row("14:00"), row("14:01")], {}, /line 1: the header/],
    ["a column named twice", [`${HEADER},close`, ""], {}, /line 1: the column "close" stands in the header twice/],
    ["too few fields", [HEADER, row("14:00"), "2024-05-07T14:01:00Z,1"], {}, /line 3: it has 2 fields.*header has 5/],
    [
      "time going back",
      [HEADER, row("14:01"), row("14:00")],
      {},
      /line 3, column 1 \(ts\): the time goes back by 60 s/,
    ],
    [
      "a price of zero",
      [HEADER, row("14:00"), row("14:01", "0")],
      {},
      /line 3, column 5 \(close\): "0" is not above 0/,
    ],
    ["a negative price", [HEADER, row("14:00", "-4.25")], {}, /line 2, column 5 \(close\): "-4.25" is not above 0/],
    ["a word for a price", [HEADER, row("14:00", "4e3")], {}, /line 2, column 5 \(close\): "4e3" is not a price/],
    ["a time without an offset", [HEADER, row("14:00").replace("Z", "")], {}, /line 2, column 1 \(ts\).*offset: write/],
    ["a date that does not exist", [HEADER, row("14:00").replace("05-07", "02-30")], {}, /line 2, column 1 \(ts\)/],
    ["a high below the close", [HEADER, "2024-05-07T14:00:00Z,4,4,4,5"], {}, /line 2, column 3 \(high\)/],
    ["two bars of one time", [HEADER, row("14:00"), row("14:00", "4001")], {}, /line 3, column 1 \(ts\).*other prices/],
    [
      "a window larger than the data",
      [HEADER, row("14:00"), row("14:01")],
      { window: 3 },
      /2 bars, fewer than .* 3 .*--set strategy\.window/,
    ],
    ["nothing but a header", [HEADER], {}, /no row with a price/],
    [
      "bars coarser than the sampling",
      [HEADER, row("14:00"), row("14:01"), row("14:02")],
      { samplingMs: 5_000 },
      /--set strategy\.sampling=1m/,
    ],
    [
      "bars where every trade is wanted",
      [HEADER, row("14:00"), row("14:01"), row("14:02")],
      { samplingMs: 0 },
      /--set strategy\.sampling=1m/,
    ],
    [
      "a month without data",
      [HEADER, row("14:00"), row("14:00").replace("-05-", "-07-")],
      {},
      /line 3: there is no data in June 2024/,
    ],
    [
      "a contract that is not there",
      [`${HEADER},contract`, `${row("14:00")},ESM4`],
      { contract: "ESZ4" },
      /no data of ESZ4; it has ESM4/,
    ],
    [
      "a contract month that is not there",
      [`${HEADER},contract`, `${row("14:00")},ESM4`],
      { expiry: "202409" },
      /contract month 202409.*ESM4/,
    ],
    ["a line without an end", [HEADER, "x".repeat(5_000)], {}, /line 2: it is longer than 4096/],
  ])("%s", async (_name, lines, options, message) => {
    const found = await read(lines.join("\n"), options);

    expect(found.ok ? "" : printBarDataProblem(found.error)).toMatch(message);
  });

  test("a file that is not there, a cut gzip file, and an empty folder", async () => {
    const cut = join(folder, "cut.csv.gz");
    writeFileSync(cut, gzipSync([HEADER, row("14:00"), row("14:01")].join("\n")).subarray(0, 40));
    mkdirSync(join(folder, "empty"));

    const messages = await Promise.all(
      [join(folder, "none.csv"), cut, join(folder, "empty")].map(async (path) => {
        const found = await readBars(path, OPTIONS, () => true);
        return found.ok ? "" : printBarDataProblem(found.error);
      }),
    );

    expect(messages[0]).toMatch(/none\.csv can't be read: there is no such file/);
    expect(messages[1]).toMatch(/cut\.csv\.gz can't be read: the gzip file is cut off/);
    expect(messages[2]).toMatch(/folder without \.csv/);
  });

  test("a line of the second file of a folder is named by its own file and number", async () => {
    const path = join(folder, "two");
    mkdirSync(path);
    writeFileSync(join(path, "a.csv"), [HEADER, row("14:00"), row("14:01")].join("\n"));
    writeFileSync(join(path, "b.csv"), [HEADER, row("13:59")].join("\n"));

    const found = await readBars(path, OPTIONS, () => true);

    expect(found.ok ? "" : printBarDataProblem(found.error)).toMatch(
      /b\.csv, line 2, column 1 \(ts\): the time goes back/,
    );
  });
});

describe("told, and lived with", () => {
  test.each<[string, string[], string, number]>([
    ["duplicate", [HEADER, row("14:00"), row("14:00"), row("14:01")], "the bar before it once more", 3],
    ["gap", [HEADER, row("14:00"), row("14:01"), row("14:09")], "nothing for 7m before it", 4],
    ["off_grid", [HEADER, row("14:00"), row("14:01", "4000.10")], "between two ticks", 3],
    ["bad_tick", [HEADER, row("14:00"), row("14:01", "4400"), row("14:02")], "its high stands", 3],
    ["missing_day", [HEADER, row("14:00"), row("14:01"), row("14:00").replace("05-07", "05-09")], "Wed 8 May 2024", 4],
  ])("%s", async (type, lines, text, line) => {
    const found = await read(lines.join("\n"));

    const notes = found.ok ? [...found.value.notes] : [];
    expect(notes.map(([each]) => each)).toEqual([type]);
    expect(notes[0]?.[1].first[0]).toMatchObject({ place: { line }, text: expect.stringContaining(text) });
  });
});

describe("bars", () => {
  test("rows without a trade are left out, and columns may stand in any order", async () => {
    const found = await read(
      [
        "volume,close,open,ts,high,low",
        "1,4000.5,4000,2024-05-07T14:00:00Z,4001,4000",
        "0,,,2024-05-07T14:01:00Z,,",
        "1,4000,4000,2024-05-07T09:02:00-05:00,4000,4000",
      ].join("\r\n"),
    );

    expect(found.ok && [...found.value.bars.closeTicks]).toEqual([16_002, 16_000]);
    expect(found.ok && found.value.bars.openAtMs[1]).toBe(1_715_090_520_000);
  });

  test("finer bars are joined", async () => {
    const lines = [
      HEADER,
      ...["14:00", "14:01", "14:04", "14:05", "14:06"].map((at, index) => row(at, `${4000 + index}`)),
    ];

    const found = await read(lines.join("\n"), { samplingMs: 300_000 });

    expect(
      found.ok && [[...found.value.bars.openTicks], [...found.value.bars.highTicks], [...found.value.bars.closeTicks]],
    ).toEqual([
      [16_000, 16_012],
      [16_008, 16_016],
      [16_008, 16_016],
    ]);
  });

  test("trades make bars by the exchange's time; quotes between them make none", async () => {
    const lines = [
      "ts_ns,type,bid,bid_size,ask,ask_size,price,size,side",
      "1715090400000000000,Q,4000,1,4000.25,1,,,",
      "1715090400000000001,T,,,,,4000.25,1,B",
      "1715090404999999999,T,,,,,4001,1,B",
      "1715090405000000000,T,,,,,4000.5,1,S",
    ];

    const found = await read(lines.join("\n"), { samplingMs: 5_000 });

    expect(found.ok && [...found.value.bars.openAtMs]).toEqual([1_715_090_400_000, 1_715_090_405_000]);
    expect(found.ok && [...found.value.bars.closeTicks]).toEqual([16_004, 16_002]);
  });

  test("where every trade is a bar, trades of one time stay apart", async () => {
    const lines = ["ts_ns,price", "1715090400000000000,4000", "1715090400000000000,4000", "1715090400000000000,4001"];

    const found = await read(lines.join("\n"), { samplingMs: 0 });

    expect(found.ok && found.value.bars.closeTicks.length).toBe(3);
  });

  test.each([
    [{}, "ESH4"],
    [{ contract: "ESZ3" }, "ESZ3"],
    [{ expiry: "201312" }, "ESZ3"],
  ])("of two contracts %j takes %s", async (options, contract) => {
    const bars = (code: string, minutes: string[]): string[] => minutes.map((at) => `${row(at)},${code}`);
    const lines = [
      `${HEADER},contract`,
      ...bars("ESH4", ["14:00", "14:01", "14:02"]),
      ...bars("ESZ3", ["14:00", "14:01"]),
    ];

    const found = await read(lines.join("\n"), options);

    expect(found.ok && found.value.contract).toBe(contract);
  });

  test("reading stops when it is told to", async () => {
    const path = join(folder, "stop.csv");
    writeFileSync(path, [HEADER, row("14:00")].join("\n"));

    const found = await readBars(path, OPTIONS, () => false);

    expect(found).toEqual({ ok: false, error: { type: "stopped" } });
  });

  test("every printed time is read back", () => {
    fc.assert(
      fc.property(fc.integer({ min: 631_152_000_000, max: 4_102_444_799_999 }), (atMs) => {
        expect(timeReader()(instantText(atMs))).toBe(atMs);
        expect(timeReader()(`${atMs}`)).toBe(atMs);
      }),
    );
  });
});

describe("Parquet", () => {
  test.each(["bars_snappy.parquet", "bars_zstd.parquet"])(
    "%s gives the bars of the CSV file it was made of",
    async (name) => {
      const [parquet, csv] = await Promise.all(
        [join(PARQUET, name), join(PARQUET, "../vectors/mini_bars.csv")].map((path) =>
          readBars(path, OPTIONS, () => true),
        ),
      );

      expect(parquet?.ok && parquet.value.bars).toEqual(csv?.ok && csv.value.bars);
      expect(parquet?.ok && parquet.value.bars.openAtMs.length).toBe(27);
    },
  );

  test("trades come with their sizes, and columns that nobody knows are left alone", async () => {
    const found = await readBars(join(PARQUET, "trades_gzip.parquet"), { ...OPTIONS, keepTicks: true }, () => true);

    const { records } = (found.ok && found.value.ticks) || { records: new Uint8Array() };
    // A derived quote and a trade for each row; the size of the first trade stands in the eighth word of its record.
    expect(records.length).toBe(27 * 2 * 40);
    expect(new DataView(records.buffer).getInt32(40 + 28, true)).toBe(2);
  });

  test.each([
    ["naive.parquet", /can't be read: the times in its column "ts" are of no time zone: write them as UTC/],
    ["negative_price.parquet", /line 14, column 2 \(price\): "-1.5" is not above 0/],
    ["wrong_column.parquet", /line 1: the header "time,price" has no column "ts_ns"/],
  ])("%s is refused", async (name, message) => {
    const found = await readBars(join(PARQUET, name), OPTIONS, () => true);

    expect(found.ok ? "" : printBarDataProblem(found.error)).toMatch(message);
  });

  test("one that is cut off is refused", async () => {
    const path = join(folder, "cut.parquet");
    writeFileSync(path, readFileSync(join(PARQUET, "bars_snappy.parquet")).subarray(0, 900));

    const found = await readBars(path, OPTIONS, () => true);

    expect(found.ok ? "" : printBarDataProblem(found.error)).toMatch(/cut\.parquet can't be read: /);
  });
});

let files = 0;

async function read(
  text: string,
  options: Partial<ReadOptions> = {},
): Promise<Result<BarData, Parameters<typeof printBarDataProblem>[0]>> {
  const path = join(folder, `${files++}.csv`);
  writeFileSync(path, text);
  return readBars(path, { ...OPTIONS, ...options }, () => true);
}
