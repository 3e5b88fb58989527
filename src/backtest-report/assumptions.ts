// What a backtest takes for granted, in sentences: they stand before every figure.

import { DateTime } from "luxon";
import type { DataNote } from "../bar-data/problem.ts";
import { feeCentsOf, instrumentOf, tickSizeOf } from "../config/instruments.ts";
import type { Settings } from "../config/schema.ts";
import {
  MINUTE_MS,
  printCents,
  printCount,
  printDuration,
  printMinuteOfDay,
  printPoints,
  stopTicksFromCents,
  targetTicksFromCents,
  zoneName,
} from "../units.ts";
import type { DataSpan, Fills, Outcome } from "./outcome.ts";

/** Is one assumption: a word and its sentence. */
export type Assumption = { readonly name: string; readonly text: string };

/** Is what assumptions are made of: of one backtest, or of all those of a sweep. */
export type Basis = {
  readonly settings: Settings;
  readonly data: DataSpan;
  readonly fills: Fills;
  readonly barCount: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** A clause on how many bars held both stop and target. */
  readonly bothTouched: string;
};

/** Returns every assumption of a backtest, the data's own first. */
export function assumptions({ settings, data, fills, bars, run }: Outcome): readonly Assumption[] {
  const { bothTouched } = run.report;
  return assumptionsOf({
    settings,
    data,
    fills,
    barCount: bars.openAtMs.length,
    firstAtMs: bars.openAtMs[0] as number,
    lastAtMs: bars.openAtMs.at(-1) as number,
    bothTouched:
      bothTouched === 0
        ? "no bar held both"
        : `${printCount(bothTouched)} ${bothTouched === 1 ? "bar" : "bars"} held both: see the bounds`,
  });
}

/** Returns every assumption, the data's own first. */
export function assumptionsOf(basis: Basis): readonly Assumption[] {
  const { settings } = basis;
  return [
    { name: "data", text: dataText(basis) },
    { name: "gaps", text: gapsText(basis.data) },
    ...(settings.strategy.price === "mid" ? [{ name: "z", text: middleText(basis) }] : []),
    ...(basis.fills.on === "ticks" ? tickFills(basis) : barFills(basis)),
    { name: "sessions", text: sessionsText(settings) },
    { name: "calendar", text: calendarText(basis) },
    { name: "left out", text: leftOutText(basis) },
  ];
}

function barFills(basis: Basis): Assumption[] {
  const { settings } = basis;
  return [
    { name: "fills", text: fillsText(settings) },
    { name: "slippage", text: slippageText(settings) },
    { name: "fees", text: feesText(settings) },
    { name: "intrabar", text: intrabarText(basis) },
    { name: "target", text: targetText(settings) },
  ];
}

function tickFills({ settings, fills }: Basis): Assumption[] {
  const { latencyMs, targetFill } = settings.backtest;
  const line = {
    touch: "as the first in the line at its price (touch)",
    queue: "once the contracts that the book showed there before it have traded (queue)",
    through: "only once a price beyond it trades, or the other side of the book comes to it (through)",
  }[targetFill];
  return [
    {
      name: "fills",
      text: `the live engine on the simulated exchange, trade by trade: an order acts ${printDuration(latencyMs)} after its decision and takes the other side of the book at the next record; a stop becomes a market order at its price`,
    },
    {
      name: "quotes",
      text:
        fills.quotes === "recorded"
          ? "as recorded; the spread is paid"
          : "none in the data: derived from trades, one tick wide (a price above the last different one is the ask, one below it the bid)",
    },
    {
      name: "slippage",
      text:
        settings.costs.slippageTicks === 0
          ? "none beyond the spread and the depth of the book"
          : `${ticks(settings.costs.slippageTicks)} worse than the book at every entry, exit and stop; none at a target`,
    },
    { name: "fees", text: feesText(settings) },
    { name: "target", text: `rests at the exchange and fills ${line}` },
    { name: "price limits", text: priceLimitsText(settings) },
  ];
}

/** What z is of where it is not of the last price. */
function middleText({ fills }: Basis): string {
  return fills.on === "bars"
    ? "of the middle of bid_close and ask_close at each close, of the close itself where one is missing or the bid is not below the ask; fills, stops and targets are of the prices that traded"
    : "of the middle of the best bid and ask when a bar closes, of the last price while one is missing; fills, stops and targets are of the market itself";
}

function priceLimitsText(settings: Settings): string {
  switch (instrumentOf(settings).priceLimits) {
    case "equity_index":
      return "nothing trades beyond the daily price limits of US equity-index futures, measured from the data's own 15:00 Chicago of the day before; where the data do not hold that, none";
    case null:
      return "not known for this instrument: none";
  }
}

function calendarText({ fills, settings }: Basis): string {
  const hours = fills.knowsHours
    ? "hours, holidays and early closes by CME's rules for equity-index futures as of 2025 to 2027, whatever the year of the data"
    : "the hours of this instrument are not known: it is traded whenever the data are";
  const { rollDaysBefore, flatDaysBefore } = settings.contract;
  const roll =
    fills.lastTradeDate === null
      ? "the contract's last trade date is not known, so nothing keeps away from it"
      : `last trade date ${fills.lastTradeDate} (third Friday): no entry from ${rollDaysBefore} days before, flat by ${flatDaysBefore}`;
  return `${hours}; ${roll}`;
}

function leftOutText({ fills }: Basis): string {
  return fills.on === "bars"
    ? "what bars can't tell: spreads, stale data, margin, refusals of the broker. The live bot may trade less. A day is seen at its closes; a halt that would wait for /arm ends with the session."
    : "margin, refusals and outages of the broker, what our own orders do to the market, and history before the first record: the window fills from there on. A halt that would wait for /arm ends with the session.";
}

/** Returns the strategy and its limits in two lines. */
export function rulesText(settings: Settings): readonly string[] {
  const { strategy, risk } = settings;
  const instrument = instrumentOf(settings);
  const tick = tickSizeOf(instrument);
  const stopTicks = stopTicksFromCents(risk.stopCents, instrument.tickValueCents);
  const targetTicks = targetTicksFromCents(risk.targetCents, instrument.tickValueCents);
  const sampling = strategy.samplingMs === 0 ? "every trade" : `${printDuration(strategy.samplingMs)} bars`;
  return [
    `${sampling}, window ${strategy.window} (ddof ${strategy.ddof}), in at |z| ≥ ${strategy.entryZ}, out at ${strategy.exitZ}, ${contracts(strategy.quantity)}`,
    `stop ${printCents(risk.stopCents)} (${printCount(stopTicks)} ticks, ${printPoints(stopTicks, tick)} pt), target ${printCents(risk.targetCents)} (${printCount(targetTicks)} ticks, ${printPoints(targetTicks, tick)} pt) a contract; ` +
      `day −${printCents(risk.dailyLossCents)}; ${risk.lossStreak} losses pause ${printDuration(risk.lossStreakPauseMs)}; at most ${printDuration(risk.maxHoldMs)} in a position${moreLimits(risk)}`,
  ];
}

/** Limits that can be off. */
function moreLimits({ entriesMax, ordersMax, lossBudgetCheck, ...risk }: Settings["risk"]): string {
  const rate = (of: Exclude<typeof entriesMax, null>, what: string): string =>
    `; at most ${of.minute}, ${of.hour} and ${of.day} ${what} a minute, hour and day`;
  return [
    entriesMax === null ? "" : rate(entriesMax, "entries"),
    ordersMax === null ? "" : rate(ordersMax, "orders"),
    lossBudgetCheck ? "; no entry whose stop could pass the day's limit" : "",
    risk.trailingDrawdownCents === null
      ? ""
      : `; flat ${printCents(risk.trailingDrawdownCents)} below the day's peak, from ${printCents(risk.trailingArmedAtCents)} of gain on`,
  ].join("");
}

/** Returns what was odd in the data, most serious first, in a few words each: "3 gaps". */
export function noteCounts(data: DataSpan): readonly { readonly type: DataNote["type"]; readonly text: string }[] {
  const words: Readonly<Record<DataNote["type"], readonly [string, string]>> = {
    missing_day: ["missing weekday", "missing weekdays"],
    gap: ["gap of more than 5 minutes in a session", "gaps of more than 5 minutes in a session"],
    bad_tick: ["suspicious price", "suspicious prices"],
    off_grid: ["price between two ticks", "prices between two ticks"],
    duplicate: ["duplicate row (left out)", "duplicate rows (left out)"],
    overlap: ["overlapping bar", "overlapping bars"],
    crossed_quote: ["crossed quote", "crossed quotes"],
    no_quote: ["close without bid or ask", "closes without bid or ask"],
  };
  return (Object.keys(words) as DataNote["type"][]).flatMap((type) => {
    const count = data.notes.get(type)?.count ?? 0;
    return count === 0 ? [] : [{ type, text: `${printCount(count)} ${words[type][count === 1 ? 0 : 1]}` }];
  });
}

/** Returns a UTC minute as "2013-10-06 22:00". */
export function utcMinute(atMs: number): string {
  return DateTime.fromMillis(atMs, { zone: "utc" }).toFormat("yyyy-MM-dd HH:mm");
}

function dataText({ settings, data, barCount, firstAtMs, lastAtMs }: Basis): string {
  const names =
    data.files.length <= 2 ? data.files.join(", ") : `${data.files[0]} and ${data.files.length - 1} more files`;
  const { samplingMs } = settings.strategy;
  const made =
    data.form === "bars"
      ? data.fileBarMs !== null && data.fileBarMs < samplingMs
        ? `joined from bars of ${printDuration(data.fileBarMs)}`
        : "as recorded"
      : "made of trades by the exchange's time";
  const other = data.contracts.filter((name) => name !== data.contract);
  const choice = other.length === 0 ? "" : ` (also there: ${other.slice(0, 6).join(", ")}; --contract chooses)`;
  const contract = data.contract === null ? "" : `, contract ${data.contract}${choice}`;
  return `${names}${contract}; ${printCount(barCount)} bars ${made}, ${utcMinute(firstAtMs)} to ${utcMinute(lastAtMs)} UTC. Minutes without a trade have no bar.${otherInstrument(settings, data.contract)}`;
}

/** Recorded prices of one instrument may be traded as another with the same tick: that is to be said. */
function otherInstrument(settings: Settings, contract: string | null): string {
  const { symbol, multiplier } = instrumentOf(settings);
  const root = contract === null ? null : (/^(.*?)[FGHJKMNQUVXZ]\d{1,4}$/.exec(contract)?.[1] ?? null);
  return root === null || root === symbol
    ? ""
    : ` Recorded ${root} prices, traded with the ${symbol} multiplier of $${multiplier}.`;
}

function gapsText(data: DataSpan): string {
  const counts = noteCounts(data);
  return counts.length === 0 ? "none found, and nothing odd" : counts.map(({ text }) => text).join(", ");
}

function fillsText({ session }: Settings): string {
  const flat = session.flattenAtMinute === null ? "" : `; flat from ${printMinuteOfDay(session.flattenAtMinute)} on`;
  return `a decision at a bar's close fills at the next bar's open; a stop at its price, or at an open beyond it${flat}`;
}

function slippageText(settings: Settings): string {
  const { slippageTicks } = settings.costs;
  const { tickValueCents } = instrumentOf(settings);
  if (slippageTicks === 0) return "none: every fill at its price, which no market gives";
  return `${ticks(slippageTicks)} (${printCents(slippageTicks * tickValueCents)}) worse at every entry, exit and stop; none at a target`;
}

function feesText(settings: Settings): string {
  const feeCents = feeCentsOf(settings);
  return feeCents === 0
    ? "none, which no broker gives"
    : `${printCents(feeCents)} a contract and side, ${printCents(2 * feeCents)} a round trip`;
}

function intrabarText({ settings, bothTouched }: Basis): string {
  const { intrabar } = settings.backtest;
  const order =
    intrabar === "stop-first" ? "the stop counts first (the worse)" : "the target counts first (the better)";
  return `where a bar holds both stop and target, ${order}; ${bothTouched}`;
}

function targetText({ backtest }: Settings): string {
  return backtest.targetFill === "touch"
    ? "filled once its price trades (touch)"
    : "filled only once a better price trades (through)";
}

function sessionsText({ session, strategy, ibkr }: Settings): string {
  const zone = zoneName(session.timeZone, 0);
  const day =
    session.openMinute === null
      ? "one endless session"
      : `a day begins at ${printMinuteOfDay(session.openMinute)} ${zone}`;
  const windows = session.entryWindows.map(
    (each) => `${printMinuteOfDay(each.fromMinute)}–${printMinuteOfDay(each.toMinute)}`,
  );
  const entries = windows.length === 0 ? "" : `; entries only ${windows.join(", ")}`;
  const last =
    session.flattenAtMinute === null || session.noEntryBeforeFlattenMs < MINUTE_MS
      ? ""
      : `; no entry in the last ${printDuration(session.noEntryBeforeFlattenMs)} before flat`;
  const resets =
    ibkr.resetWindows.length === 0
      ? ""
      : "; flat from 15m before each reset window of the broker, no entry from 30m before";
  const reset = strategy.resetWindow === "session" ? "the window is emptied" : "the window goes on";
  return `${day}, ${reset} and the daily loss limit lifted then${entries}${last}${resets}`;
}

function contracts(quantity: number): string {
  return quantity === 1 ? "1 contract" : `${quantity} contracts`;
}

function ticks(count: number): string {
  return count === 1 ? "1 tick" : `${count} ticks`;
}
