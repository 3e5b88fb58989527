// A backtest as one JSON object, in the names of the recorded vectors: params, trades, events, stats.
import { feeCentsOf, instrumentOf } from "../config/instruments.ts";
import type { Settings } from "../config/schema.ts";
import type { BacktestEvent, BacktestTrade, Interval, Statistics, Study } from "../engine.ts";
import { instantText, priceFromTicks, printMinuteOfDay, type TickSize, tickSize } from "../units.ts";
import { DEFINITIONS, whyText } from "./definitions.ts";
import type { Outcome } from "./outcome.ts";

/** The vectors have so many decimals. */
const DECIMALS = 9;

/** Returns the object that `--json` prints. Money in dollars, prices in points, times in ISO 8601 UTC, ratios to nine decimals. */
export function backtestJson(outcome: Outcome): Record<string, unknown> {
  const { settings, data, bars, run } = outcome;
  const { report, otherIntrabar } = run;
  const tick = tickSize(instrumentOf(settings).tickSize);
  return {
    data: {
      files: data.files,
      contract: data.contract,
      bars: bars.openAtMs.length,
      first: time(bars.openAtMs[0] as number),
      last: time(bars.openAtMs.at(-1) as number),
      fill_on: outcome.fills.on,
      quotes: outcome.fills.quotes,
      z_of: settings.strategy.price,
      last_trade_date: outcome.fills.lastTradeDate,
      notes: Object.fromEntries([...data.notes].map(([type, { count }]) => [type, count])),
    },
    params: backtestParams(settings),
    stats: {
      ...backtestStats(report.statistics),
      ...drawdownTimes(outcome),
      near_ties: report.ties,
      daily_equity: Object.fromEntries(report.sessions.map((each) => [each.tradeDate, usd(each.equityCents)])),
    },
    study: study(run.study),
    definitions: Object.fromEntries(DEFINITIONS.map(({ key, unit, text }) => [key, { unit, definition: text }])),
    bounds: otherIntrabar === null ? null : bounds(settings, report.statistics, otherIntrabar),
    events: report.events.map(event),
    blocked: report.blocked,
    open_at_end: report.openAtEnd,
    anomalies: report.anomalies,
    trades: report.trades.map((each) => trade(each, tick)),
  };
}

/** Returns the settings in the names of the vectors. */
export function backtestParams(settings: Settings): Record<string, unknown> {
  const { strategy, risk, session, costs, backtest } = settings;
  const instrument = instrumentOf(settings);
  return {
    symbol: instrument.symbol,
    multiplier: Number(instrument.multiplier),
    tick: Number(instrument.tickSize),
    qty: strategy.quantity,
    bar_seconds: strategy.samplingMs / 1_000,
    window: strategy.window,
    ddof: strategy.ddof,
    entry: strategy.entryZ,
    exit: strategy.exitZ,
    stop: usd(risk.stopCents),
    target: usd(risk.targetCents),
    fee: usd(feeCentsOf(settings)),
    slippage_ticks: costs.slippageTicks,
    daily_loss: usd(risk.dailyLossCents),
    daily_basis: risk.dailyLossBasis,
    consec_losses: risk.lossStreak,
    pause_min: risk.lossStreakPauseMs / 60_000,
    max_hold_min: risk.maxHoldMs / 60_000,
    intrabar: backtest.intrabar,
    target_fill: backtest.targetFill,
    reset_window: strategy.resetWindow,
    session_tz: session.timeZone,
    session_open: session.openMinute === null ? "none" : printMinuteOfDay(session.openMinute),
    flatten_at: session.flattenAtMinute === null ? "none" : printMinuteOfDay(session.flattenAtMinute),
    equity: usd(backtest.startEquityCents),
  };
}

/** Returns the figures in the names of the vectors. */
export function backtestStats(found: Statistics): Record<string, unknown> {
  return {
    trades: found.trades,
    wins: found.wins,
    losses: found.losses,
    scratches: found.scratches,
    win_rate: rounded(found.winRate),
    profit_factor: rounded(found.profitFactor),
    payoff_ratio: rounded(found.payoffRatio),
    expectancy: found.expectancyCents === null ? null : rounded(found.expectancyCents / 100),
    gross: usd(found.grossCents),
    fees: usd(found.feesCents),
    net: usd(found.netCents),
    final_equity: usd(found.finalEquityCents),
    max_drawdown_usd: usd(found.maxDrawdownCents),
    max_drawdown_pct: rounded(found.maxDrawdownShare),
    sharpe_daily: rounded(found.sharpe),
    sessions: found.sessions,
    exposure: rounded(found.exposure),
    avg_hold_bars: rounded(found.holdBarsMean),
    exit_reasons: found.exitReasons,
    slippage: usd(found.slippageCents),
    fees_share: rounded(found.feesShare),
    slippage_share: rounded(found.slippageShare),
    best_trade: dollars(found.bestTradeCents),
    worst_trade: dollars(found.worstTradeCents),
    win_streak: found.winStreak,
    loss_streak: found.lossStreak,
    under_water_bars: found.underWaterBars,
    annual_return: rounded(found.annualReturn),
    annual_volatility: rounded(found.annualVolatility),
    sortino: rounded(found.sortino),
    calmar: rounded(found.calmar),
    undefined: reasons(found.undefined),
  };
}

/** Why figures are null, by their names in this object. */
function reasons(found: Statistics["undefined"]): Record<string, string> {
  return Object.fromEntries(
    DEFINITIONS.flatMap(({ key, figure, study: name }) => {
      const why = found[(figure ?? name) as string];
      return why === undefined ? [] : [[key, whyText(why)]];
    }),
  );
}

/** When the deepest fall, as a share of its peak, began, was deepest, and was made good; null = the start, or never. */
function drawdownTimes({ settings, bars, run }: Outcome): Record<string, string | null> {
  const fall = run.report.statistics.maxDrawdownFall;
  const closeOf = (bar: number | null | undefined): string | null =>
    bar == null ? null : time((bars.openAtMs[bar] as number) + settings.strategy.samplingMs);
  return {
    max_drawdown_peak_ts: closeOf(fall?.peakBar),
    max_drawdown_trough_ts: closeOf(fall?.troughBar),
    max_drawdown_recovered_ts: closeOf(fall?.recoveredBar),
  };
}

function study(found: Study | null): Record<string, unknown> | null {
  if (found === null) return null;
  const money = (interval: Interval | null): unknown =>
    interval === null ? null : { low: rounded(interval.low / 100), high: rounded(interval.high / 100) };
  const plain = (interval: Interval | null): unknown =>
    interval === null ? null : { low: rounded(interval.low), high: rounded(interval.high) };
  return {
    method: "stationary bootstrap (Politis and Romano 1994)",
    level: found.level,
    seed: found.seed,
    trade_resamples: found.tradeResamples,
    trade_block_mean: found.tradeBlockMean,
    session_resamples: found.sessionResamples,
    session_block_mean: found.sessionBlockMean,
    net: money(found.netCents),
    expectancy: money(found.expectancyCents),
    win_rate: plain(found.winRate),
    profit_factor: plain(found.profitFactor),
    sharpe_daily: plain(found.sharpe),
    sortino: plain(found.sortino),
    skewness: rounded(found.skewness),
    kurtosis: rounded(found.kurtosis),
    probabilistic_sharpe: rounded(found.probabilisticSharpe),
    trials: found.trials,
    sharpe_by_luck: rounded(found.sharpeByLuck),
    deflated_sharpe: rounded(found.deflatedSharpe),
    undefined: reasons(found.undefined),
  };
}

function dollars(cents: number | null): number | null {
  return cents === null ? null : usd(cents);
}

function bounds(settings: Settings, own: Statistics, other: Statistics): Record<string, unknown> {
  const isStopFirst = settings.backtest.intrabar === "stop-first";
  return {
    "stop-first": backtestStats(isStopFirst ? own : other),
    "target-first": backtestStats(isStopFirst ? other : own),
  };
}

function trade(found: BacktestTrade, tick: TickSize): Record<string, unknown> {
  return {
    n: found.tradeId,
    side: found.side === "buy" ? "long" : "short",
    qty: found.quantity,
    signal_ts: time(found.signalAtMs),
    entry_ts: time(found.entryAtMs),
    entry_price: priceFromTicks(found.entryTicks, tick),
    exit_ts: time(found.exitAtMs),
    exit_price: priceFromTicks(found.exitTicks, tick),
    reason: found.reason,
    bars: found.bars,
    gross: usd(found.grossCents),
    fees: usd(found.feesCents),
    net: usd(found.netCents),
    z_signal: rounded(found.zSignal),
  };
}

function event(found: BacktestEvent): Record<string, unknown> {
  switch (found.type) {
    case "pause":
      return { ts: time(found.atMs), event: "pause", until: time(found.untilMs) };
    case "daily_loss_halt":
      return { ts: time(found.atMs), event: "daily_loss_halt", session: found.tradeDate };
    case "control":
      return { ts: time(found.atMs), event: found.control, detail: found.detail };
    default:
      return found satisfies never;
  }
}

function usd(cents: number): number {
  return cents / 100;
}

function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toFixed(DECIMALS));
}

/** Whole seconds are written without milliseconds, as in the vectors. */
function time(atMs: number): string {
  return instantText(atMs).replace(".000Z", "Z");
}
