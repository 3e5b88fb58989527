// A recorded market: trades with or without quotes, or minute bars, from CSV files, plain or gzipped. What a file does not
// hold is derived by fixed rules and said in the label: quotes from trades by the tick rule, prints from bars.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { DateTime } from "luxon";
import { errorFields } from "../../../log.ts";
import { err, ok, type Result } from "../../../result.ts";
import { type Calendar, EXCHANGE_ZONE } from "../calendar.ts";
import type { MarketSource } from "../market-source.ts";
import { NO_PRICE } from "../records.ts";
import { createBarStore } from "./bars.ts";
import { holdQuotes } from "./held-quotes.ts";
import { createMarketSource, type Flow } from "./market.ts";
import { createPasses, type Pass } from "./passes.ts";
import { BARS_NOTE, type RowProblem, readRows } from "./recording-rows.ts";
import { syntheticPast } from "./synthetic.ts";
import { createTape, type Tape } from "./tape.ts";

/** What a recording is opened with. */
export type RecordingOptions = {
  /** Whose multiplier the prices are traded with, for the label: "MES". */
  readonly symbol: string;
  /** 0.25 of a point = 2 500. */
  readonly tickSizeE4: number;
  readonly calendar: Calendar;
  /** Where it starts; null = at its first record. What lies before becomes history. */
  readonly startMs: number | null;
  /** Which contract of a file of bars that has several; null = the one that traded most. */
  readonly contract: string | null;
  /** Of the synthetic past before its first record; null = it has no past. */
  readonly pastSeed: number | null;
  /** Is the machine's time, to move the recording to today with its time of day kept; null = it has its own dates. */
  readonly todayMs: number | null;
  /** Begins anew on the next trading day whenever it has ended. */
  readonly loop: boolean;
  /** What `state()` returned, to go on from there; null = from the start. */
  readonly state: string | null;
};

/** Is why a recording can't be used. */
export type RecordingProblem =
  | { readonly type: "unreadable"; readonly path: string; readonly cause: string }
  | { readonly type: "empty"; readonly path: string }
  | { readonly type: "too_large"; readonly path: string; readonly bytesMax: number }
  | { readonly type: "bad_row"; readonly path: string; readonly problem: RowProblem }
  | { readonly type: "other_state"; readonly path: string };

/** How much a file may hold once unpacked; all files together are kept in memory as 33 bytes a record. */
export const RECORDING_BYTES_MAX = 256 * 1024 * 1024;
const STATE_VERSION = 2;

/** Opens a recording: one file, or a folder whose `.csv` and `.csv.gz` files are read by name, one after the other. */
export function openRecording(path: string, options: RecordingOptions): Result<MarketSource, RecordingProblem> {
  const files = filesOf(path);
  if (!files.ok) return files;
  const tape = createTape();
  const notes = new Set<string>();
  for (const file of files.value) {
    const text = textOf(file);
    if (!text.ok) return text;
    const problem = readRows(text.value, tape, options, (note) => notes.add(note));
    if (problem !== null) return err({ type: "bad_row", path: file, problem });
  }
  if (tape.trades() === 0) return err({ type: "empty", path });
  return openTape(path, tape, notes, options);
}

/** Returns the problem in full sentences, for a person. */
export function printRecordingProblem(problem: RecordingProblem): string {
  switch (problem.type) {
    case "unreadable":
      return `The recording ${problem.path} can't be read: ${problem.cause}. Check the path, or leave --data out to trade the synthetic market.`;
    case "empty":
      return `The recording ${problem.path} holds no trade. Give a .csv or .csv.gz file with trades or bars, or a folder of such files.`;
    case "too_large":
      return `The recording ${problem.path} is larger than ${problem.bytesMax / 1024 / 1024} MiB unpacked. Cut it into days and give one of them.`;
    case "bad_row":
      return `The recording ${problem.path}, line ${problem.problem.line}: ${problem.problem.text}. Mend or cut that line, then start again.`;
    case "other_state":
      return `The saved state is not of the recording ${problem.path}. Give the recording it was made with, or remove the saved state to start from the beginning.`;
    default:
      return problem satisfies never;
  }
}

function openTape(
  path: string,
  tape: Tape,
  notes: ReadonlySet<string>,
  options: RecordingOptions,
): Result<MarketSource, RecordingProblem> {
  const { calendar, pastSeed, todayMs } = options;
  const passes = createPasses(calendar, tape.atMs(0), tape.atMs(tape.count() - 1));
  const saved = options.state === null ? null : readState(options.state);
  const days = saved?.days ?? (todayMs === null ? 0 : passes.daysToToday(todayMs));
  const first = passes.passOf(days);
  const startMs = options.startMs ?? first.startMs;
  const key = [tape.count(), tape.atMs(0), tape.firstTradeTicks(), startMs - first.laterMs, options.loop].join(" ");
  if (options.state !== null && saved?.key !== key) return err({ type: "other_state", path });
  const past =
    pastSeed === null
      ? { bars: createBarStore(), anchor: null }
      : syntheticPast({ seed: pastSeed, endMs: first.startMs, endTicks: tape.firstTradeTicks(), calendar });
  const taped = playTape(tape, passes, days, options.loop);
  const flow = notes.has(BARS_NOTE) ? holdQuotes(taped) : taped;
  flow.run(startMs, {
    trade: (atMs, priceTicks, size) => past.bars.trade(atMs, priceTicks, size),
    quote: (atMs, bidTicks, askTicks) => {
      if (bidTicks !== NO_PRICE && askTicks !== NO_PRICE) past.bars.quote(atMs, bidTicks, askTicks);
    },
  });
  const said = [
    ...notes,
    ...(days === 0 ? [] : [`moved to ${printDay(first.startMs)}`]),
    ...(options.loop ? ["begins anew each trading day"] : []),
    ...(pastSeed === null ? [] : ["synthetic past"]),
  ];
  return ok(
    createMarketSource({
      label: `recorded prices of ${printDay(tape.atMs(0))}, ${options.symbol} multiplier${said.length === 0 ? "" : ` (${said.join(", ")})`}`,
      startMs,
      endMs: options.loop ? null : first.endMs,
      restUntil: taped.restUntil,
      ownPastFromMs: first.startMs,
      calendar,
      flow,
      bars: past.bars,
      anchor: past.anchor,
      skip: saved?.handedOver ?? 0,
      state: (count) => JSON.stringify({ version: STATE_VERSION, key, days, handedOver: count }),
    }),
  );
}

/** Returns the tape as a flow of events, from the pass that is `days` later than its own dates. */
function playTape(
  tape: Tape,
  passes: ReturnType<typeof createPasses>,
  days: number,
  loop: boolean,
): Flow & { restUntil(atMs: number): number | null } {
  let next = 0;
  let at = 0;
  /** By the pass's number from 0; planned as far as was asked. */
  const planned: { days: number; pass: Pass }[] = [{ days, pass: passes.passOf(days) }];
  const passAt = (number: number): Pass => {
    for (;;) {
      const found = planned[number];
      if (found !== undefined) return found.pass;
      const nextDays = passes.daysAfter((planned.at(-1) as { days: number }).days);
      planned.push({ days: nextDays, pass: passes.passOf(nextDays) });
    }
  };
  let restAt = 0;

  return {
    nextAtMs: () => {
      if (next < tape.count()) return tape.atMs(next) + passAt(at).laterMs;
      return loop ? passAt(at + 1).startMs : null;
    },
    run: (untilMs, sink) => {
      for (;;) {
        const { laterMs } = passAt(at);
        while (next < tape.count() && tape.atMs(next) + laterMs < untilMs) tape.tell(next++, sink, laterMs);
        if (next < tape.count() || !loop || passAt(at + 1).startMs >= untilMs) return;
        at += 1;
        next = 0;
      }
    },
    restUntil: (atMs) => {
      if (!loop) return null;
      while (passAt(restAt + 1).startMs <= atMs) restAt += 1;
      return atMs > passAt(restAt).endMs ? passAt(restAt + 1).startMs : null;
    },
  };
}

function readState(text: string): { key: string; days: number; handedOver: number } | null {
  const state = JSON.parse(text) as { version?: unknown; key?: unknown; days?: unknown; handedOver?: unknown };
  const { version, key, days, handedOver } = state;
  return version === STATE_VERSION &&
    typeof key === "string" &&
    typeof days === "number" &&
    typeof handedOver === "number"
    ? { key, days, handedOver }
    : null;
}

function printDay(atMs: number): string {
  return DateTime.fromMillis(atMs, { zone: EXCHANGE_ZONE }).toFormat("d LLL yyyy");
}

function filesOf(path: string): Result<string[], RecordingProblem> {
  try {
    if (!statSync(path).isDirectory()) return ok([path]);
    const names = readdirSync(path).filter((name) => /\.csv(\.gz)?$/.test(name));
    return names.length === 0 ? err({ type: "empty", path }) : ok(names.sort().map((name) => join(path, name)));
  } catch (cause) {
    return err({ type: "unreadable", path, cause: errorFields(cause).errorMessage });
  }
}

function textOf(path: string): Result<string, RecordingProblem> {
  const tooLarge = err({ type: "too_large", path, bytesMax: RECORDING_BYTES_MAX } as const);
  try {
    if (statSync(path).size > RECORDING_BYTES_MAX) return tooLarge;
    const bytes = readFileSync(path);
    const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return ok((isPacked ? gunzipSync(bytes, { maxOutputLength: RECORDING_BYTES_MAX }) : bytes).toString("utf8"));
  } catch (cause) {
    if (cause instanceof RangeError && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE") return tooLarge;
    return err({ type: "unreadable", path, cause: errorFields(cause).errorMessage });
  }
}
