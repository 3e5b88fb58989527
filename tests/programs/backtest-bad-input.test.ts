// What a hostile user gives backtest and zscore: each ends with code 2 and one message for a person, and nothing half-written.
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { printBarDataProblem } from "../../src/bar-data/problem.ts";
import { readBars } from "../../src/bar-data/read.ts";
import type { BacktestOptions, SweepOptions } from "../../src/cli.ts";
import { backtest } from "../../src/programs/backtest.ts";
import { ExitError } from "../../src/programs/exit.ts";
import { sweep } from "../../src/programs/sweep.ts";
import { zscore } from "../../src/programs/zscore.ts";
import { tickSize } from "../../src/units.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "hostile-")));
const socket = join(folder, "socket");
const server = createServer();
beforeAll(() => new Promise<void>((resolve) => void server.listen(socket, resolve)));
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const HEADER = "ts,open,high,low,close";
const ROWS = Array.from({ length: 30 }, (_, at) => {
  const price = 4_000 + (at % 7) / 4;
  return `2024-05-07T14:${String(at).padStart(2, "0")}:00Z,${price},${price},${price},${price}`;
});
const TEXT = `${[HEADER, ...ROWS].join("\n")}\n`;
const PARQUET = readFileSync(join(import.meta.dirname, "../fixtures/parquet/bars_snappy.parquet"));

let files = 0;

function file(content: string | Uint8Array, name = "bars.csv"): string {
  const path = join(folder, `${files++}-${name}`);
  writeFileSync(path, content);
  return path;
}

function options(data: string, more: Partial<BacktestOptions> = {}): BacktestOptions {
  const set = ["strategy.sampling=1m", "strategy.window=10"];
  return { data, config: null, set, json: true, html: null, contract: null, trials: 1, ...more };
}

/** Runs it and returns how it ended, with what it printed. */
async function ended(run: () => Promise<number>): Promise<{ code: number; out: string; says: string }> {
  const printed: string[] = [];
  const take = (text: unknown, taken?: unknown): boolean => {
    if (typeof taken === "function") taken();
    return printed.push(String(text)) > 0;
  };
  const out = vi.spyOn(process.stdout, "write").mockImplementation(take);
  const err = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    return { code: await run(), out: printed.join(""), says: "" };
  } catch (thrown) {
    if (!(thrown instanceof ExitError)) throw thrown;
    return { code: thrown.code, out: printed.join(""), says: thrown.message };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}

describe("data that is no table", () => {
  test.each<[string, () => string, RegExp]>([
    [
      "UTF-16 with its mark",
      () => file(Buffer.from(`\ufeff${TEXT}`, "utf16le")),
      /can't be read: it is text in UTF-16; save it as UTF-8/,
    ],
    [
      "UTF-16, the other order",
      () => file(Buffer.from(`\ufeff${TEXT}`, "utf16le").swap16()),
      /can't be read: it is text in UTF-16; save it as UTF-8/,
    ],
    [
      "UTF-16 without its mark",
      () => file(Buffer.from(TEXT, "utf16le")),
      /line 1: it is not text, so this is no CSV file/,
    ],
    [
      "a zip archive",
      () => file(Buffer.from("PK\u0003\u0004\u0014\u0000rest of it")),
      /line 1: it is not text, so this is no CSV file/,
    ],
    [
      "lines that end with CR alone",
      () => file(TEXT.replaceAll("\n", "\r")),
      /line 1: its lines end with CR alone; save it with LF or CR LF/,
    ],
    [
      "semicolons",
      () => file(TEXT.replaceAll(",", ";")),
      /line 1: its fields are separated by semicolons; they must be by commas/,
    ],
    [
      "tabs",
      () => file(TEXT.replaceAll(",", "\t")),
      /line 1: its fields are separated by tabs; they must be by commas/,
    ],
    ["empty lines", () => file("\n\n"), /line 1: it is empty, but must name the columns: ts,open/],
    [
      "a word in another script",
      () => file(TEXT.replace("4000,4000,4000,4000", "4000,4000,4000,４０")),
      /line 2, column 5 \(close\): "４０" is not a price/,
    ],
    ["one field", () => file(`${HEADER}\nx\n`), /line 2: it has 1 field, but the header has 5/],
    ["a path through a file", () => join(file("x"), "bars.csv"), /can't be read: a part of its path is no folder/],
    ["a name too long", () => join(folder, "x".repeat(300)), /can't be read: its name is too long/],
    ["no name", () => "", /^"" can't be read: there is no such file or folder/],
    ["a socket", () => socket, /can't be read: it is neither a file nor a folder/],
    [
      "a Parquet file cut in its rows",
      () => file(PARQUET.subarray(0, 900)),
      /can't be read: the Parquet file is cut off or damaged \(/,
    ],
    ["a Parquet file of four bytes", () => file("PAR1"), /can't be read: the Parquet file is cut off or damaged \(/],
    [
      "a Parquet file whose rows are damaged",
      () => file(Buffer.concat([PARQUET.subarray(0, 100), Buffer.alloc(200, 7), PARQUET.subarray(300)])),
      /can't be read: the Parquet file is cut off or damaged \(/,
    ],
    [
      "a gzip file cut in its rows",
      () => file(gzipSync(TEXT).subarray(0, 120)),
      /can't be read: the gzip file is cut off/,
    ],
  ])("%s", async (_name, make, says) => {
    const path = make();

    const end = await ended(() => backtest(options(path)));

    expect(end).toEqual({ code: 2, out: "", says: expect.stringMatching(says) });
    expect(end.says.split("\n")).toHaveLength(1);
  });

  test("a fault of our own is not laid at the door of the data", async () => {
    const bad = { timeZone: "America/Chicago", openMinute: 17 * 60 };
    const read = readBars(
      file(TEXT),
      {
        ...{ samplingMs: 60_000, window: 2, contract: null, expiry: null, hours: bad },
        ...{ badTickTicks: 25, keepTicks: false, wantsMiddle: false, tick: tickSize("0.25") },
      },
      () => {
        throw new TypeError("a bug of ours");
      },
    );

    await expect(read.then((found) => (found.ok ? "" : printBarDataProblem(found.error)))).rejects.toThrow(
      "a bug of ours",
    );
  });
});

describe("a report that can't be written is refused before the work, and nothing is touched", () => {
  const data = file(TEXT);
  const SWEEP: Omit<SweepOptions, keyof BacktestOptions> = {
    ...{ sweep: ["strategy.window=10,12"], random: null, seed: 7, rank: "net", walkForward: null },
    ...{ threads: 1, state: null, csv: null, heat: null },
  };

  test.each<[string, () => string, RegExp]>([
    ["below a file", () => join(file("x"), "r.html"), /can't be written: a part of its path is no folder.*--html/],
    [
      "with too long a name",
      () => join(folder, `${"x".repeat(250)}.html`),
      /can't be written: its name is too long.*--html/,
    ],
    ["without a name", () => "", /^--html has no file name/],
    ["over what is no file", () => socket, /can't be written: it is no ordinary file.*--html/],
    ["over its own data", () => data, /can't be written: it is what is read with --data/],
    [
      "over its own data by another name",
      () => {
        const link = join(folder, "link.csv");
        symlinkSync(data, link);
        return link;
      },
      /can't be written: it is what is read with --data/,
    ],
    ["into a folder that is not there", () => join(folder, "none", "r.html"), /there is no folder/],
  ])("%s", async (_name, make, says) => {
    const html = make();
    const before = readdirSync(folder);

    const alone = await ended(() => backtest(options(data, { html })));
    const swept = await ended(() => sweep({ ...options(data, { html }), ...SWEEP }));

    for (const end of [alone, swept]) expect(end).toEqual({ code: 2, out: "", says: expect.stringMatching(says) });
    expect(readFileSync(data, "utf8")).toBe(TEXT);
    expect(readdirSync(folder)).toEqual(before);
  });

  test("two reports in one file", async () => {
    const path = join(folder, "both");

    const end = await ended(() => sweep({ ...options(data, { html: path }), ...SWEEP, csv: `${folder}/./both` }));

    expect(end).toMatchObject({ code: 2, out: "", says: expect.stringMatching(/--html and --csv name the same file/) });
    expect(existsSync(path)).toBe(false);
  });

  test("over the configuration", async () => {
    const config = file("strategy:\n  window: 12\n", "config.yaml");

    const end = await ended(() => backtest(options(data, { html: config, config })));

    expect(end).toMatchObject({ code: 2, says: expect.stringMatching(/it is what is read with --config/) });
    expect(readFileSync(config, "utf8")).toContain("window: 12");
  });

  test("a report by a link is written where the link leads", async () => {
    const [target, link] = [join(folder, "target.html"), join(folder, "report.html")];
    writeFileSync(target, "old");
    symlinkSync(target, link);

    const end = await ended(() => backtest(options(data, { html: link })));

    expect(end.code).toBe(0);
    expect(readFileSync(target, "utf8")).toMatch(/^<!doctype html>/);
    expect(readFileSync(link, "utf8")).toBe(readFileSync(target, "utf8"));
  });
});

describe("zscore", () => {
  const z = (content: string | Uint8Array, name = "prices.txt"): ReturnType<typeof ended> =>
    ended(() => zscore({ file: file(content, name), window: 3, ddof: 1 }));

  test.each<[string, string | Uint8Array, RegExp]>([
    ["UTF-16", Buffer.from("\ufeff1\n2\n3\n", "utf16le"), /can't be read: it is text in UTF-16; save it as UTF-8/],
    ["a gzip file", gzipSync("1\n2\n3\n"), /line 1: it is not text/],
    ["a line without end", "1".repeat(5_000), /line 1: it is longer than 4096 characters/],
    ["a blank line in the middle", "1\n2\n\n3\n", /line 3: it is empty/],
    ["a column named twice", "close,close\n1,2\n", /line 1: the column "close" stands in the header twice/],
    ["a row of one field", "ts,close\nx\n", /line 2: it has 1 field, but the first line 2/],
    ["nothing but line ends", "\n\n", /has no price/],
    ["a word in another script", "1\n４０\n", /line 2: "４０" is not a number/],
  ])("%s is refused", async (_name, content, says) => {
    expect(await z(content)).toEqual({ code: 2, out: "", says: expect.stringMatching(says) });
  });

  test.each(["NaN", "inf", "-Infinity", "null", "1e400", "-1e99999"])(
    "%s has no z while it is in the window, and leaves nothing behind",
    async (odd) => {
      const before = ["1", "2", "4"];
      const after = ["3", "4", "6", "5"];

      const found = (await z([...before, odd, ...after].join("\n"))).out.trimEnd().split("\n");
      const alone = (await z(after.join("\n"))).out.trimEnd().split("\n");

      expect(found.slice(3, 6)).toEqual(["null", "null", "null"]);
      expect(found.slice(4, 6)).toEqual(alone.slice(0, 2));
      for (const [at, z] of alone.slice(2).entries()) expect(Number(found[6 + at])).toBeCloseTo(Number(z), 12);
      expect(found).toHaveLength(8);
      expect(Number(found[2])).toBeCloseTo(1.0910894511799618, 12);
    },
  );

  test("a byte order mark, CR LF, blank lines at the end and quotation marks change nothing", async () => {
    const plain = await z("1\n2\n4\n3\n");

    for (const written of [
      "\ufeff1\r\n2\r\n4\r\n3\r\n",
      "1\n2\n4\n3\n\n\n",
      '"ts","close"\n"a","1"\n"b","2"\n"c","4"\n"d","3"\n',
      "\ufeffclose\n1\n2\n4\n3",
    ])
      expect(await z(written)).toEqual(plain);
  });
});
