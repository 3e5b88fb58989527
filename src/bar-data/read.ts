// Recorded data → the bars of a backtest: chosen contract, checked row by row, sampled. Everything odd is told with its line.
import { DateTime } from "luxon";
import { err, ok, type Result } from "../result.ts";
import { printNumber, type TickSize } from "../units.ts";
import { causeOf, filesOf, LINE_CHARACTERS_MAX, linesOf } from "./lines.ts";
import { NoteBook, type Notes, noteGap, type SessionHours, spike } from "./notes.ts";
import { type BarDataProblem, isOfFile, type Place } from "./problem.ts";
import {
  emptyRow,
  type Form,
  type Header,
  isKnownColumn,
  MIDDLE_COLUMNS,
  type Row,
  readHeader,
  rowReader,
} from "./rows.ts";
import { type BarColumns, BarSeries, joined, NO_PRICE } from "./series.ts";
import { TICKS_MAX, TickRecords } from "./ticks.ts";

/** Is what the data is read for. */
export type ReadOptions = {
  readonly tick: TickSize;
  /** Bar length; 0 = a bar for every trade. */
  readonly samplingMs: number;
  /** Bars in the strategy's window: fewer bars than that are refused. */
  readonly window: number;
  /** "ESZ3"; null = that of `expiry`, or the one with the most bars. */
  readonly contract: string | null;
  /** "201312": which contract, where `contract` is null; null = any. */
  readonly expiry: string | null;
  readonly hours: SessionHours;
  /** A trade further than this from the median of the five before it is left out, until three in a row agree (control D8). */
  readonly badTickTicks: number;
  /** True where trades and quotes are wanted themselves, and not only the bars made of them. */
  readonly keepTicks: boolean;
  /** True where z is of the middle of bid and ask: bars are refused without the columns for it. */
  readonly wantsMiddle: boolean;
};

/** Watches the reading: hears of the lines read so far, and answers whether to go on. */
export type Watch = (lines: number) => boolean;

/** Is data that a backtest can run on. */
export type BarData = {
  readonly bars: BarColumns;
  /** Trades and quotes as records of the exchange; null where bars were read, or where they were not wanted. */
  readonly ticks: { readonly records: Uint8Array; readonly hasQuotes: boolean } | null;
  readonly form: Form;
  readonly files: readonly string[];
  /** Null where the data does not say. */
  readonly contract: string | null;
  /** All that were found. */
  readonly contracts: readonly string[];
  /** Lines read, headers included. */
  readonly lines: number;
  /** Length of the file's own bars; null for trades. */
  readonly fileBarMs: number | null;
  readonly notes: Notes;
};

/** More than this is refused: 24 bytes each. */
export const BARS_MAX = 50_000_000;
/** Trades in a row beyond the bad-tick limit that are believed after all (control D8). */
const OUTLIERS_ACCEPTED = 3;
const MEDIAN_TRADES = 5;
const MEDIAN_AGE_MS_MAX = 1_000;

/** Reads a file, or a folder's files by name one after the other, and returns the bars, or what the person must mend. */
export async function readBars(
  path: string,
  options: ReadOptions,
  watch: Watch,
): Promise<Result<BarData, BarDataProblem>> {
  const files = filesOf(path);
  if (!files.ok) return files;
  const reading = new Reading(options);
  for (const file of files.value) {
    const problem = await readFile(reading, file, watch);
    if (problem !== null) return err(problem);
  }
  return reading.finish(path, files.value);
}

async function readFile(reading: Reading, file: string, watch: Watch): Promise<BarDataProblem | null> {
  try {
    reading.begin(file);
    for await (const lines of linesOf(file, (column) => isKnownColumn(column, reading.wantsMiddle))) {
      for (const line of lines) {
        const problem = reading.line(line);
        if (problem !== null) return problem;
      }
      if (!watch(reading.lines)) return { type: "stopped" };
    }
    return reading.end();
  } catch (thrown) {
    if (!isOfFile(thrown)) throw thrown;
    return { type: "unreadable", path: file, cause: causeOf(thrown) };
  }
}

/** One contract's bars, with what is needed to judge the next row. */
type Track = {
  readonly series: BarSeries;
  readonly ticks: TickRecords | null;
  /** Of each bar: file and line, to tell later where it stands. */
  readonly lines: number[];
  lastAtMs: number;
  /** Only where ticks are kept. */
  lastQuoteAtMs: number;
  readonly recent: number[];
  outliers: number;
};

class Reading {
  lines = 0;
  private readonly options: ReadOptions;
  private readonly tracks = new Map<string, Track>();
  private readonly book = new NoteBook();
  private readonly row: Row = emptyRow();
  /** Files with the total of lines before each. */
  private readonly starts: { readonly file: string; readonly before: number }[] = [];
  private header: Header | null = null;
  private form: Form | null = null;
  private read: ReturnType<typeof rowReader> | null = null;
  private rowsInFile = 0;
  private readonly otherContracts = new Set<string>();

  constructor(options: ReadOptions) {
    this.options = options;
  }

  get wantsMiddle(): boolean {
    return this.options.wantsMiddle;
  }

  begin(file: string): void {
    this.starts.push({ file, before: this.lines });
    this.header = null;
    this.rowsInFile = 0;
  }

  end(): BarDataProblem | null {
    return this.rowsInFile === 0 ? { type: "no_rows", path: this.starts.at(-1)?.file ?? "" } : null;
  }

  line(raw: string): BarDataProblem | null {
    this.lines++;
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (line.length > LINE_CHARACTERS_MAX)
      return this.bad(null, `it is longer than ${LINE_CHARACTERS_MAX} characters, so this is no CSV file of ours`);
    if (this.header === null || this.read === null) return this.takeHeader(line);
    if (line === "") return null;
    const verdict = this.read(line, this.row);
    switch (verdict.type) {
      case "row":
        break;
      case "quote":
        this.rowsInFile++;
        return this.takeQuote(this.row);
      case "nothing":
        if (this.row.contract !== "" && this.otherContracts.size < 1_000) this.otherContracts.add(this.row.contract);
        this.rowsInFile++;
        return null;
      case "crossed":
        this.rowsInFile++;
        this.book.add("crossed_quote", this.place(null), "the bid is above the ask");
        return null;
      case "wrong":
        return this.bad(verdict.column, verdict.wrong);
      default:
        return verdict satisfies never;
    }
    this.rowsInFile++;
    if (this.row.offGridColumn >= 0)
      this.book.add(
        "off_grid",
        this.place(this.row.offGridColumn),
        "the price is between two ticks; the nearest is taken",
      );
    return this.form === "bars" ? this.takeBar(this.row) : this.takeTrade(this.row);
  }

  finish(path: string, files: readonly string[]): Result<BarData, BarDataProblem> {
    const contracts = [...this.tracks.keys()].filter((name) => name !== "").toSorted();
    const chosen = this.chosen(path, contracts);
    if (!chosen.ok) return chosen;
    const track = this.tracks.get(chosen.value);
    if (track === undefined || track.series.count === 0) return err({ type: "no_rows", path });
    const { samplingMs, window } = this.options;
    const raw = track.series.bars();
    const fileBarMs = this.form === "bars" ? barLengthMs(raw.openAtMs) : null;
    const gap = this.checkTimes(track, raw, fileBarMs ?? samplingMs);
    if (gap !== null) return err(gap);
    if (fileBarMs !== null && (fileBarMs > samplingMs || samplingMs % fileBarMs !== 0))
      return err({ type: "too_coarse", path, barMs: fileBarMs, samplingMs });
    const bars = fileBarMs !== null && fileBarMs < samplingMs ? joined(raw, samplingMs) : raw;
    if (bars.openAtMs.length < window) return err({ type: "window", path, bars: bars.openAtMs.length, window });
    return ok({
      bars,
      ticks: track.ticks === null ? null : { records: track.ticks.bytes(), hasQuotes: track.ticks.hasQuotes },
      form: this.form as Form,
      files,
      contract: chosen.value === "" ? null : chosen.value,
      contracts: [...new Set([...contracts, ...this.otherContracts])].toSorted(),
      lines: this.lines,
      fileBarMs,
      notes: this.book.notes(),
    });
  }

  private takeHeader(line: string): BarDataProblem | null {
    const header = readHeader(line, this.wantsMiddle);
    if (!header.ok) return this.bad(null, header.error);
    const { form, columns } = header.value;
    if (form === "bars" && this.wantsMiddle) {
      const missing = MIDDLE_COLUMNS.filter((name) => (columns[name] ?? -1) < 0);
      if (missing.length > 0) return { type: "no_middle", path: this.starts.at(-1)?.file ?? "", missing };
    }
    if (this.form !== null && this.form !== form)
      return this.bad(null, `this file holds ${form}, the ones before it ${this.form}: they can't be run together`);
    this.form = form;
    this.header = header.value;
    this.read = rowReader(header.value, this.options.tick, this.options.contract);
    return null;
  }

  private takeBar(row: Row): BarDataProblem | null {
    const track = this.track(row.contract);
    if (row.atMs < track.lastAtMs) return this.backwards(row, track);
    if (row.atMs === track.lastAtMs) {
      const isSame =
        track.series.lastIs(row.open, row.high, row.low, row.close) &&
        track.series.lastQuoteIs(row.bid ?? NO_PRICE, row.ask ?? NO_PRICE);
      if (!isSame)
        return this.bad(
          this.timeColumn(),
          "it has the time of the bar before it, but other prices: one of the two is wrong",
        );
      this.book.add("duplicate", this.place(this.timeColumn()), "the bar before it once more; it is left out");
      return null;
    }
    const problem = this.push(track, row.atMs, row.open, row.high, row.low, row.close);
    if (problem !== null || !this.wantsMiddle) return problem;
    track.series.quote(row.bid ?? NO_PRICE, row.ask ?? NO_PRICE);
    this.noteMiddle(row);
    return null;
  }

  /** Notes where the engine takes the close for the middle, or where the middle is far from what trades. */
  private noteMiddle({ bid, ask, close }: Row): void {
    if (bid === null || ask === null) {
      const without = bid === ask ? "no bid and no ask" : bid === null ? "no bid" : "no ask";
      this.book.add(
        "no_quote",
        this.place(this.header?.columns[bid === null ? "bid_close" : "ask_close"] ?? null),
        `${without}; z is of the close here`,
      );
    } else if (bid >= ask) {
      this.book.add(
        "crossed_quote",
        this.place(this.header?.columns["bid_close"] ?? null),
        "the bid is not below the ask; z is of the close here",
      );
    } else if (Math.abs(bid + ask - 2 * close) > 2 * this.options.badTickTicks) {
      this.book.add(
        "bad_tick",
        this.place(this.header?.columns["bid_close"] ?? null),
        `the middle of bid and ask is ${printNumber(Math.abs(bid + ask - 2 * close) / 2, 1)} ticks from the close; it is kept`,
      );
    }
  }

  private takeTrade(row: Row): BarDataProblem | null {
    const track = this.track(row.contract);
    if (row.atMs < Math.max(track.lastAtMs, track.lastQuoteAtMs)) return this.backwards(row, track);
    const isBelieved = believe(track, row, this.options.badTickTicks);
    const sinceMs = row.atMs - track.lastAtMs;
    track.lastAtMs = row.atMs;
    if (!isBelieved) {
      this.book.add(
        "bad_tick",
        this.place(this.header?.columns["price"] ?? null),
        "the price is far from the five trades before it; it is left out",
      );
      return null;
    }
    if (track.ticks !== null) {
      if (this.form === "quotes") track.ticks.trade(row.atMs, row.close, row.size);
      else track.ticks.bareTrade(row.atMs, row.close, row.size);
      if (track.ticks.count > TICKS_MAX - 2) return this.tooManyTicks();
    }
    track.recent.push(row.close);
    if (track.recent.length > MEDIAN_TRADES) track.recent.shift();
    const { samplingMs } = this.options;
    const bucketMs = samplingMs === 0 ? row.atMs : row.atMs - (row.atMs % samplingMs);
    if (samplingMs > 0 && sinceMs < samplingMs && track.series.lastAtMs() === bucketMs) {
      track.series.extend(row.close, row.close, row.close);
      return null;
    }
    return this.push(track, bucketMs, row.close, row.close, row.close, row.close, row.atMs);
  }

  private takeQuote(row: Row): BarDataProblem | null {
    const track = this.track(row.contract);
    if (track.ticks === null) return null;
    if (row.atMs < Math.max(track.lastAtMs, track.lastQuoteAtMs)) return this.backwards(row, track);
    track.lastQuoteAtMs = row.atMs;
    track.ticks.quote(row.atMs, row.bid, row.ask, row.bidSize, row.askSize);
    return track.ticks.count > TICKS_MAX - 2 ? this.tooManyTicks() : null;
  }

  private tooManyTicks(): BarDataProblem {
    return { type: "too_many", path: this.starts.at(-1)?.file ?? "", what: "trades and quotes", countMax: TICKS_MAX };
  }

  private push(
    track: Track,
    openAtMs: number,
    open: number,
    high: number,
    low: number,
    close: number,
    atMs = openAtMs,
  ): BarDataProblem | null {
    if (track.series.count >= BARS_MAX)
      return { type: "too_many", path: this.starts.at(-1)?.file ?? "", what: "bars", countMax: BARS_MAX };
    track.series.push(openAtMs, open, high, low, close);
    track.lines.push(this.lines);
    track.lastAtMs = atMs;
    return null;
  }

  private track(contract: string): Track {
    const known = this.tracks.get(contract);
    if (known !== undefined) return known;
    const track: Track = {
      series: new BarSeries(this.wantsMiddle && this.form === "bars"),
      ticks: this.options.keepTicks && this.form !== "bars" ? new TickRecords() : null,
      lines: [],
      lastAtMs: Number.NEGATIVE_INFINITY,
      lastQuoteAtMs: Number.NEGATIVE_INFINITY,
      recent: [],
      outliers: 0,
    };
    this.tracks.set(contract, track);
    return track;
  }

  private chosen(path: string, contracts: readonly string[]): Result<string, BarDataProblem> {
    const { contract, expiry } = this.options;
    const found = [...new Set([...contracts, ...this.otherContracts])].toSorted();
    if (contract !== null)
      return contracts.includes(contract) ? ok(contract) : err({ type: "no_contract", path, wanted: contract, found });
    if (expiry !== null && contracts.length > 0) {
      const listed = contracts.find((name) => isListing(name, expiry));
      return listed === undefined
        ? err({ type: "no_contract", path, wanted: `the contract month ${expiry} (contract.expiry)`, found })
        : ok(listed);
    }
    const byBars = [...this.tracks].toSorted(([, one], [, other]) => other.series.count - one.series.count);
    return byBars[0] === undefined ? err({ type: "no_rows", path }) : ok(byBars[0][0]);
  }

  /** Gaps, missing days and months, bars that overlap or stand out: all that needs the neighbours. */
  private checkTimes(track: Track, bars: BarColumns, barMs: number): BarDataProblem | null {
    const { openAtMs, highTicks, lowTicks, closeTicks } = bars;
    for (let at = 1; at < openAtMs.length; at++) {
      const fromMs = (openAtMs[at - 1] as number) + barMs;
      const toMs = openAtMs[at] as number;
      if (toMs - fromMs >= GAP_LOOK_MS) {
        const place = this.placeOf(track.lines[at] as number);
        const month = emptyMonth(fromMs, toMs);
        if (month !== null) return { type: "empty_month", place, month, fromMs, toMs };
        noteGap(this.book, place, fromMs, toMs, barMs, this.options.hours);
      } else if (toMs < fromMs && this.form === "bars") {
        this.book.add(
          "overlap",
          this.placeOf(track.lines[at] as number),
          "it begins before the bar before it has ended",
        );
      }
      if (this.form !== "bars" || at + 1 >= openAtMs.length) continue;
      const odd = spike(
        closeTicks[at - 1] as number,
        highTicks[at] as number,
        lowTicks[at] as number,
        closeTicks[at + 1] as number,
      );
      if (odd !== null) this.book.add("bad_tick", this.placeOf(track.lines[at] as number), `${odd}; it is kept`);
    }
    return null;
  }

  private backwards(row: Row, track: Track): BarDataProblem {
    return this.bad(
      this.timeColumn(),
      `the time goes back by ${(Math.max(track.lastAtMs, track.lastQuoteAtMs) - row.atMs) / 1_000} s: rows must be in the order of time`,
    );
  }

  private timeColumn(): number | null {
    return this.header?.columns[this.form === "bars" ? "ts" : "ts_ns"] ?? null;
  }

  private bad(column: number | null, wrong: string): BarDataProblem {
    return { type: "bad_line", place: this.place(column), wrong };
  }

  private place(column: number | null): Place {
    return this.placeOf(this.lines, column);
  }

  private placeOf(line: number, column: number | null = null): Place {
    const start = this.starts.findLast((each) => each.before < line);
    const name = column === null ? undefined : this.header?.names[column];
    return {
      file: start?.file ?? "",
      line: line - (start?.before ?? 0),
      column: column === null || name === undefined ? null : { number: column + 1, name },
    };
  }
}

/** Shorter stretches are not looked at twice. */
const GAP_LOOK_MS = 60_000;

/** As the engine believes a trade (control D8): not further from the median of the last five than the limit, unless three in a row are. */
function believe(track: Track, row: Row, badTickTicks: number): boolean {
  if (track.recent.length < MEDIAN_TRADES || row.atMs - track.lastAtMs > MEDIAN_AGE_MS_MAX) return true;
  const median = track.recent.toSorted((a, b) => a - b)[2] as number;
  if (Math.abs(row.close - median) <= badTickTicks) {
    track.outliers = 0;
    return true;
  }
  track.outliers++;
  if (track.outliers < OUTLIERS_ACCEPTED) return false;
  track.outliers = 0;
  track.recent.fill(row.close);
  return true;
}

/**
 * Returns the length of a file's bars: the step between most of them, else the greatest common divisor of all steps
 * (a thin market has few bars that follow each other at once); null where there are too few to tell.
 */
function barLengthMs(openAtMs: Float64Array): number | null {
  if (openAtMs.length < BARS_TELLING) return null;
  const counts = new Map<number, number>();
  let divisor = 0;
  for (let at = 1; at < openAtMs.length; at++) {
    const stepMs = (openAtMs[at] as number) - (openAtMs[at - 1] as number);
    if (counts.size < STEPS_MAX || counts.has(stepMs)) counts.set(stepMs, (counts.get(stepMs) ?? 0) + 1);
    divisor = greatestCommonDivisor(divisor, stepMs);
  }
  const [stepMs, count] = [...counts].toSorted(([, one], [, other]) => other - one)[0] as [number, number];
  return count * 2 > openAtMs.length - 1 ? stepMs : divisor;
}

const STEPS_MAX = 10_000;
/** Of two bars nobody knows whether one is missing between them. */
const BARS_TELLING = 3;

function greatestCommonDivisor(a: number, b: number): number {
  let [one, other] = [a, b];
  while (other !== 0) [one, other] = [other, one % other];
  return one;
}

/** Returns the first calendar month (UTC) that lies wholly between the two times, as "March 2024". */
function emptyMonth(fromMs: number, toMs: number): string | null {
  const start = DateTime.fromMillis(fromMs, { zone: "utc" });
  const first = start.equals(start.startOf("month")) ? start : start.startOf("month").plus({ months: 1 });
  return first.plus({ months: 1 }).toMillis() <= toMs ? first.toFormat("LLLL yyyy", { locale: "en-US" }) : null;
}

const MONTH_LETTERS = "FGHJKMNQUVXZ";

/** Is `name` ("ESZ3", "ESZ13", "ESZ2013") the listing of the month "201312". */
function isListing(name: string, expiry: string): boolean {
  const match = /([FGHJKMNQUVXZ])(\d{1,4})$/.exec(name);
  if (match === null) return false;
  const [, letter = "", year = ""] = match;
  return MONTH_LETTERS.indexOf(letter) + 1 === Number(expiry.slice(4)) && expiry.slice(0, 4).endsWith(year);
}
