// What each figure of a backtest is: its name, its unit and how it is counted; and why one may have no value.
import type { Statistics, Study, Undefined } from "../engine.ts";

/** Is the description of one figure; `key` is its name in `--json`. */
export type Definition = {
  readonly key: string;
  readonly name: string;
  readonly unit: string;
  readonly text: string;
  /** Its names in what the engine returns: the figure itself, and its interval where there is one. */
  readonly figure: keyof Statistics | null;
  readonly study: keyof Study | null;
};

const row = (
  key: string,
  name: string,
  unit: string,
  text: string,
  figure: keyof Statistics | null,
  study: keyof Study | null = null,
): Definition => ({ key, name, unit, text, figure, study });

/** Every figure in the order in which reports show them. */
export const DEFINITIONS: readonly Definition[] = [
  row("net", "Net", "$", "what all trades made after fees and slippage", "netCents", "netCents"),
  row("gross", "Gross", "$", "what all trades made after slippage and before fees", "grossCents"),
  row("fees", "Fees", "$", "fees of all fills", "feesCents"),
  row("slippage", "Slippage", "$", "what the assumed slippage took; it is already a part of gross", "slippageCents"),
  row("fees_share", "Fees' share", "share", "fees ÷ what trades that gained before all costs had gained", "feesShare"),
  row("slippage_share", "Slippage's share", "share", "slippage ÷ the same", "slippageShare"),
  row("win_rate", "Win rate", "share", "trades with a net above 0 ÷ all trades", "winRate", "winRate"),
  row(
    "profit_factor",
    "Profit factor",
    "ratio",
    "net of the winning trades ÷ −net of the losing ones (quantstats)",
    "profitFactor",
    "profitFactor",
  ),
  row("payoff_ratio", "Payoff", "ratio", "mean win ÷ −mean loss (quantstats)", "payoffRatio"),
  row("expectancy", "Expectancy", "$ a trade", "mean net of a trade", "expectancyCents", "expectancyCents"),
  row("best_trade", "Best trade", "$", "largest net of a trade", "bestTradeCents"),
  row("worst_trade", "Worst trade", "$", "smallest net of a trade", "worstTradeCents"),
  row("win_streak", "Longest winning row", "trades", "wins in a row; a scratch ends it (quantstats)", "winStreak"),
  row("loss_streak", "Longest losing row", "trades", "losses in a row; a scratch ends it (quantstats)", "lossStreak"),
  row(
    "max_drawdown_usd",
    "Deepest drawdown",
    "$",
    "largest fall of equity, open positions at their worth at each close, from its highest so far, the start included",
    "maxDrawdownCents",
  ),
  row(
    "max_drawdown_pct",
    "Deepest drawdown",
    "share of the peak",
    "the same as a share of the peak (empyrical); it may be another fall than the one in dollars",
    "maxDrawdownShare",
  ),
  row("under_water_bars", "Longest under water", "bars", "closes in a row below the peak before", "underWaterBars"),
  row(
    "annual_return",
    "Annual return",
    "share a year",
    "(last ÷ first equity)^(252 ÷ sessions) − 1 (empyrical)",
    "annualReturn",
  ),
  row(
    "annual_volatility",
    "Annual volatility",
    "share a year",
    "standard deviation of the sessions' returns × √252 (quantstats, empyrical)",
    "annualVolatility",
  ),
  row(
    "sharpe_daily",
    "Sharpe",
    "a year",
    "mean ÷ standard deviation of the sessions' returns × √252, no risk-free rate (quantstats, empyrical)",
    "sharpe",
    "sharpe",
  ),
  row(
    "sortino",
    "Sortino",
    "a year",
    "mean ÷ root mean square of the sessions' returns below 0 × √252 (quantstats, empyrical)",
    "sortino",
    "sortino",
  ),
  row(
    "calmar",
    "Calmar",
    "a year",
    "annual return ÷ deepest drawdown as a share (empyrical, with the drawdown of each close instead of each session)",
    "calmar",
  ),
  row("exposure", "Exposure", "share of the bars", "bars with a position at any time in them ÷ all bars", "exposure"),
  row("avg_hold_bars", "Mean hold", "bars", "mean bars from the entry bar to the exit bar", "holdBarsMean"),
  row(
    "skewness",
    "Skewness",
    "ratio",
    "third standardised moment of the sessions' returns; 0 if symmetric",
    null,
    "skewness",
  ),
  row("kurtosis", "Kurtosis", "ratio", "fourth standardised moment; 3 for a normal distribution", null, "kurtosis"),
  row(
    "probabilistic_sharpe",
    "Probabilistic Sharpe",
    "probability",
    "that the true Sharpe ratio lies above 0, by the sessions' number, skewness and kurtosis (Bailey, López de Prado 2012)",
    null,
    "probabilisticSharpe",
  ),
  row(
    "sharpe_by_luck",
    "Sharpe by luck",
    "a year",
    "what the best of so many tried parameter sets without any skill is expected to show (--trials; Bailey, López de Prado 2014)",
    null,
    "sharpeByLuck",
  ),
  row(
    "deflated_sharpe",
    "Deflated Sharpe",
    "probability",
    "that the true Sharpe ratio lies above what luck shows (Bailey, López de Prado 2014)",
    null,
    "deflatedSharpe",
  ),
];

/** Returns why a figure has no value, as a clause: "no trade lost". */
export function whyText(why: Undefined): string {
  switch (why) {
    case "no_bars":
      return "no bar";
    case "no_trades":
      return "no trade";
    case "no_wins":
      return "no trade gained";
    case "no_losses":
      return "no trade lost";
    case "nothing_won":
      return "no trade gained before costs";
    case "few_sessions":
      return "fewer than 2 sessions";
    case "no_deviation":
      return "all sessions returned the same";
    case "no_downside":
      return "no session lost";
    case "no_drawdown":
      return "equity never fell";
    case "ruined":
      return "equity came to 0 or below";
    case "no_variance":
      return "its moments leave it no variance";
    case "one_trial":
      return "one set tried; --trials N says how many were";
    case "too_few":
      return "fewer than 10 to resample";
    case "unstable":
      return "more than a tenth of the resamples have none";
    default:
      return why satisfies never;
  }
}
