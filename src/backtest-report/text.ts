// A backtest for the terminal: plain, 80 columns at most, what it assumes first.
import { instrumentOf } from "../config/instruments.ts";
import type { Statistics } from "../engine.ts";
import { MINUS, printCents, printCentsSigned, printCount, printNumber, zoneName } from "../units.ts";
import { assumptions, rulesText, utcMinute } from "./assumptions.ts";
import type { Outcome } from "./outcome.ts";
import { values } from "./values.ts";

/** Nothing is printed beyond this column. */
export const COLUMNS = 80;
const LABEL_CHARACTERS = 12;

/** Returns the report, with a line end after each line. */
export function backtestText(outcome: Outcome): string {
  const { settings, run } = outcome;
  const instrument = instrumentOf(settings);
  const found = run.report.statistics;
  const lines = [
    `Backtest of ${instrument.symbol} (${instrument.name}, ${printCents(instrument.tickValueCents)} a tick)`,
    "",
    ...assumptions(outcome).flatMap(({ name, text }) => labelled(name, text)),
    "",
    ...rulesText(settings).flatMap((text, index) => labelled(index === 0 ? "strategy" : "limits", text)),
    "",
    ...resultLines(outcome, found),
    ...boundLines(outcome),
  ];
  return `${lines.join("\n")}\n`;
}

/** Returns what a figure is worth in ticks of one contract, with its sign: "+12.4 t". */
export function ticksText(cents: number, tickValueCents: number): string {
  const ticks = cents / tickValueCents;
  return `${ticks > 0 ? "+" : ""}${printNumber(ticks, Number.isInteger(ticks) ? 0 : 1)} t`;
}

/** Returns a share as "65.9 %", or "n/a" where there is none. */
export function percentText(share: number | null, decimals = 1): string {
  return share === null ? "n/a" : `${printNumber(share * 100, decimals)} %`;
}

/** Returns a ratio as "1.32", or "n/a". */
export function ratioText(ratio: number | null): string {
  return ratio === null ? "n/a" : printNumber(ratio, 2);
}

/** Returns the exits by their reason, most frequent first: "zexit 40, stop 4". */
export function exitsText(found: Statistics): string {
  const reasons = Object.entries(found.exitReasons).toSorted(([, one], [, other]) => other - one);
  return reasons.map(([reason, count]) => `${reason} ${printCount(count)}`).join(", ");
}

function resultLines(outcome: Outcome, found: Statistics): string[] {
  const { settings, run } = outcome;
  const { tickValueCents } = instrumentOf(settings);
  const money = (cents: number): string => `${printCentsSigned(cents)} (${ticksText(cents, tickValueCents)})`;
  const { events, blocked, openAtEnd, anomalies } = run.report;
  const tripped = (type: (typeof events)[number]["type"]): number => events.filter((each) => each.type === type).length;
  const stopped = Object.entries(blocked).toSorted(([, one], [, other]) => other - one);
  const won = `${printCount(found.wins)} won, ${printCount(found.losses)} lost${found.scratches === 0 ? "" : `, ${printCount(found.scratches)} even`}`;
  if (found.trades === 0)
    return [
      "No trade: |z| never reached the entry threshold when an entry was allowed.",
      ...labelled("stopped", stopped.map(([gate, count]) => `${gate} ${printCount(count)}`).join(", ") || "nothing"),
    ];
  return [
    ...labelled(
      "net",
      `${money(found.netCents)} = gross ${money(found.grossCents)} ${MINUS} fees ${printCents(found.feesCents)}`,
    ),
    ...labelled("equity", `${printCents(settings.backtest.startEquityCents)} → ${printCents(found.finalEquityCents)}`),
    ...labelled(
      "drawdown",
      `${printCents(found.maxDrawdownCents)} (${ticksText(-found.maxDrawdownCents, tickValueCents)}), ${percentText(found.maxDrawdownShare, 2)} of its peak${fallText(outcome)}`,
    ),
    ...labelled(
      "trades",
      `${printCount(found.trades)}: ${won}; at most ${found.winStreak} wins and ${found.lossStreak} losses in a row`,
    ),
    ...labelled(
      "a trade",
      `${found.expectancyCents === null ? "n/a" : money(Math.round(found.expectancyCents))} on average, ${signed(found.worstTradeCents)} to ${signed(found.bestTradeCents)}, held ${ratioText(found.holdBarsMean)} bars`,
    ),
    ...labelled(
      "costs",
      `fees ${shown("fees_share")} and slippage ${shown("slippage_share")} (${printCents(found.slippageCents)}) of what winning trades made before them`,
    ),
    ...labelled("exposure", `in a position in ${percentText(found.exposure)} of the bars`),
    ...labelled("exits", exitsText(found)),
    ...labelled(
      "controls",
      `${counted(tripped("pause"), "loss-streak pause")}, ${counted(tripped("daily_loss_halt"), "daily-loss halt")}, ${counted(tripped("control"), "other")}`,
    ),
    ...(stopped.length === 0
      ? []
      : labelled(
          "stopped",
          `closes at which an entry was wanted: ${stopped.map(([gate, count]) => `${gate} ${printCount(count)}`).join(", ")}`,
        )),
    ...(openAtEnd === 0
      ? []
      : labelled("at the end", `a position of ${openAtEnd} was still open: in the equity, not among the trades`)),
    ...(anomalies === 0
      ? []
      : labelled(
          "anomalies",
          `${printCount(anomalies)}: orders in doubt or bookkeeping that did not fit; a fault of ours`,
        )),
    ...ratioLines(outcome),
    ...dayLines(outcome),
  ];

  function shown(key: string): string {
    return values(outcome).find(({ definition }) => definition.key === key)?.value ?? "n/a";
  }
}

/** Returns when equity fell deepest: ", from 2013-10-06 22:14 to 2013-10-07 03:20 UTC, made good 2013-10-08 01:00". */
export function fallText({ settings, bars, run }: Outcome): string {
  const fall = run.report.statistics.maxDrawdownFall;
  if (fall === null) return "";
  const close = (bar: number): string => utcMinute((bars.openAtMs[bar] as number) + settings.strategy.samplingMs);
  const from = fall.peakBar === null ? "the start" : close(fall.peakBar);
  const good = fall.recoveredBar === null ? "not made good" : `made good ${close(fall.recoveredBar)}`;
  return `, from ${from} to ${close(fall.troughBar)} UTC, ${good}`;
}

/** The figures that a table is easier to read of: with their intervals, units and definitions. */
const TABLED = [
  "win_rate",
  "profit_factor",
  "payoff_ratio",
  "expectancy",
  "annual_return",
  "annual_volatility",
  "sharpe_daily",
  "sortino",
  "calmar",
  "probabilistic_sharpe",
  "sharpe_by_luck",
  "deflated_sharpe",
];
const NAME_CHARACTERS = 21;
const VALUE_CHARACTERS = 11;

function ratioLines(outcome: Outcome): string[] {
  const { study, report } = outcome.run;
  const count = report.statistics.sessions;
  const few =
    count < SESSIONS_FEW ? `: ${count === 1 ? "one is" : "these are"} too few to mean anything by the year` : "";
  const between = study === null ? "" : `, with what ${printNumber(study.level * 100, 0)} % of resampled runs gave`;
  const lines = values(outcome)
    .filter(({ definition }) => TABLED.includes(definition.key))
    .flatMap(({ definition, value: printed, interval, why }) => {
      const value = why === "" ? printed : `${printed}: ${why}`;
      const head = `  ${definition.name.padEnd(NAME_CHARACTERS)}${value.padEnd(VALUE_CHARACTERS)}`;
      const line = `${head}${interval === "" ? "" : ` ${interval}`}`.trimEnd();
      const unit = definition.unit === "ratio" || definition.unit === "share" ? "" : `${definition.unit}; `;
      return [line, ...wrapped(`${unit}${definition.text}`, COLUMNS - 6).map((each) => `      ${each}`)];
    });
  return ["", ...wrapped(`Ratios of ${sessions(count)}${between}${few}`, COLUMNS), ...lines];
}

/** Below this many sessions a Sharpe ratio is a formality. */
export const SESSIONS_FEW = 60;
const DAYS_SHOWN_MAX = 15;

function dayLines({ settings, run }: Outcome): string[] {
  const { sessions: days } = run.report;
  const shown = days.slice(-DAYS_SHOWN_MAX);
  const left = days.length - shown.length;
  const { tickValueCents } = instrumentOf(settings);
  return [
    "",
    `By trading day (${zoneName(settings.session.timeZone, 0)})${left === 0 ? "" : `, the last ${DAYS_SHOWN_MAX} of ${printCount(days.length)}`}`,
    ...shown.map((day, index) => {
      const before = days[left + index - 1]?.equityCents ?? settings.backtest.startEquityCents;
      const cents = day.equityCents - before;
      return `  ${day.tradeDate}  ${printCentsSigned(cents).padStart(12)}  ${ticksText(cents, tickValueCents).padStart(11)}  equity ${printCents(day.equityCents).padStart(13)}`;
    }),
  ];
}

function boundLines({ settings, run }: Outcome): string[] {
  const { otherIntrabar: other, report } = run;
  if (other === null) return [];
  const { tickValueCents } = instrumentOf(settings);
  const isStopFirst = settings.backtest.intrabar === "stop-first";
  const row = (name: string, found: Statistics): string =>
    `  ${name.padEnd(13)} ${printCentsSigned(found.netCents).padStart(12)}  ${ticksText(found.netCents, tickValueCents).padStart(11)}  ${printCount(found.trades).padStart(6)} trades  ${percentText(found.winRate).padStart(7)} won`;
  return [
    "",
    "Between these two lies the truth, as far as bars can tell",
    row("stop-first", isStopFirst ? report.statistics : other),
    row("target-first", isStopFirst ? other : report.statistics),
  ];
}

/** Returns a label and its text, broken at spaces, the label on the first line. */
export function labelled(label: string, text: string): string[] {
  return wrapped(text, COLUMNS - LABEL_CHARACTERS).map(
    (line, index) => `${(index === 0 ? label : "").padEnd(LABEL_CHARACTERS)}${line}`,
  );
}

/** Breaks at spaces; a longer word is cut. */
function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    let rest = word;
    if (line !== "" && line.length + 1 + rest.length > columns) {
      lines.push(line);
      line = "";
    }
    while (rest.length > columns) {
      lines.push(rest.slice(0, columns));
      rest = rest.slice(columns);
    }
    line = line === "" ? rest : `${line} ${rest}`;
  }
  return line === "" ? lines : [...lines, line];
}

function signed(cents: number | null): string {
  return cents === null ? "n/a" : printCentsSigned(cents);
}

function sessions(count: number): string {
  return counted(count, "session");
}

function counted(count: number, noun: string): string {
  return `${printCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}
