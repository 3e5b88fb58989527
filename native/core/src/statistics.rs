//! Figures of a finished run [S10]: from round trips and equity in whole cents to ratios, each by its standard definition.
//! Decides nothing. What chance may have to do with them is in `study`.

mod bootstrap;
mod normal;
mod returns;
mod study;

pub use bootstrap::{BLOCK_MEAN_MIN, RESAMPLES_MAX};
pub use returns::{
    Moments, SESSIONS_PER_YEAR, deflated_sharpe, expected_sharpe_max, probabilistic_sharpe,
};
pub use study::{Interval, Study, StudySettings};

use crate::status::ExitReason;
use serde::Serialize;
use std::collections::BTreeMap;
use ts_rs::TS;

/// What counts of a round trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Before fees.
    pub gross_cents: i64,
    /// Both sides.
    pub fees_cents: i64,
    /// After fees.
    pub net_cents: i64,
    /// What the assumed slippage took; a part of gross.
    pub slippage_cents: i64,
    /// Bars from entry to exit.
    pub bars: u32,
    /// Why it ended.
    pub reason: ExitReason,
}

/// Equity through a run.
#[derive(Debug, Clone, Copy)]
pub struct EquityCurve<'a> {
    /// Before the first bar; above 0.
    pub start_cents: i64,
    /// At each bar's close: start, all realised net so far, fees of open trades included, and open gross.
    pub closes_cents: &'a [i64],
    /// At the last close of each session, in order.
    pub session_ends_cents: &'a [i64],
    /// Bars with a position held at any time inside of them.
    pub bars_held: u32,
}

/// Why a figure has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Undefined {
    /// No bar, so no share of them.
    NoBars,
    /// No round trip.
    NoTrades,
    /// No round trip gained, so there is no mean win.
    NoWins,
    /// No round trip lost, so there is nothing to divide by.
    NoLosses,
    /// No round trip gained before costs, so costs are a share of nothing.
    NothingWon,
    /// Fewer than two sessions, so there is no deviation.
    FewSessions,
    /// All sessions returned the same, so the deviation is 0.
    NoDeviation,
    /// No session lost, so there is no downside to divide by.
    NoDownside,
    /// Equity never fell, so there is no drawdown to divide by.
    NoDrawdown,
    /// Equity came to 0 or below, from where there are no returns.
    Ruined,
    /// Skewness and kurtosis leave the Sharpe ratio no variance above 0.
    NoVariance,
    /// Only one set of parameters is said to have been tried, so there is nothing to deflate by.
    OneTrial,
    /// Fewer round trips or sessions than a bootstrap makes sense of.
    TooFew,
    /// More than a tenth of the resamples leave it undefined.
    Unstable,
}

/// The deepest fall of equity as a share of its peak. Bars by their place, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Fall {
    /// The close of the peak; none = the starting equity.
    pub peak_bar: Option<u32>,
    /// The close at the bottom.
    pub trough_bar: u32,
    /// The first close at or above the peak after it; none = not in the data.
    pub recovered_bar: Option<u32>,
}

/// Figures of a run. One without meaning is none, and `undefined` says why; none is ever NaN or infinite.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Statistics {
    /// Round trips.
    pub trades: u32,
    /// Net above zero.
    pub wins: u32,
    /// Net below zero.
    pub losses: u32,
    /// Net zero.
    pub scratches: u32,
    /// wins / trades (backtesting.py "Win Rate").
    pub win_rate: Option<f64>,
    /// Sum of wins / |sum of losses| (quantstats `profit_factor` on trades).
    pub profit_factor: Option<f64>,
    /// Mean win / |mean loss| (quantstats `payoff_ratio`).
    pub payoff_ratio: Option<f64>,
    /// Mean net of a trade.
    pub expectancy_cents: Option<f64>,
    /// Largest net of a trade.
    pub best_trade_cents: Option<i64>,
    /// Smallest net of a trade.
    pub worst_trade_cents: Option<i64>,
    /// Most wins in a row; a scratch ends a row (quantstats `consecutive_wins`).
    pub win_streak: u32,
    /// Most losses in a row; a scratch ends a row (quantstats `consecutive_losses`), which the loss-streak control [S8] does not
    /// let it do.
    pub loss_streak: u32,
    /// Before fees.
    pub gross_cents: i64,
    /// Of all fills.
    pub fees_cents: i64,
    /// After fees.
    pub net_cents: i64,
    /// What the assumed slippage took of all fills; a part of gross.
    pub slippage_cents: i64,
    /// Fees / what the trades that gained before costs (fees and slippage) had gained.
    pub fees_share: Option<f64>,
    /// Slippage / the same.
    pub slippage_share: Option<f64>,
    /// Equity at the last close.
    pub final_equity_cents: i64,
    /// Largest fall from a peak, marked to the market at each close, the starting equity included; ≥ 0.
    pub max_drawdown_cents: i64,
    /// Largest fall as a share of its peak, ≥ 0 (empyrical `max_drawdown` of the closes' returns with the sign turned).
    pub max_drawdown_share: f64,
    /// When that was; none where equity never fell.
    pub max_drawdown_fall: Option<Fall>,
    /// Most bars in a row with a close below the highest equity before.
    pub under_water_bars: u32,
    /// Growth a year: (last / starting equity)^(252 / sessions) − 1 (empyrical `annual_return` of the sessions' returns).
    pub annual_return: Option<f64>,
    /// Standard deviation (ddof 1) of the sessions' returns times √252 (empyrical `annual_volatility`).
    pub annual_volatility: Option<f64>,
    /// Mean / standard deviation (ddof 1) of the sessions' returns, times √252, without a risk-free rate (quantstats and
    /// empyrical `sharpe`). To be read with `sessions` beside it.
    pub sharpe: Option<f64>,
    /// Mean / root of the mean square of the sessions' returns below 0, all sessions counted, times √252 (quantstats and
    /// empyrical `sortino`).
    pub sortino: Option<f64>,
    /// `annual_return` / `max_drawdown_share` (empyrical `calmar_ratio`, but that the drawdown is that of each close and not
    /// only of each session's last: it never looks better).
    pub calmar: Option<f64>,
    /// Sessions in the data.
    pub sessions: u32,
    /// Share of bars with a position.
    pub exposure: Option<f64>,
    /// Mean of the trades' bars.
    pub hold_bars_mean: Option<f64>,
    /// Trades by the reason of their exit.
    pub exit_reasons: BTreeMap<ExitReason, u32>,
    /// Of each figure that is none, by its name: why.
    pub undefined: BTreeMap<&'static str, Undefined>,
}

/// Collects why figures have no value.
#[derive(Default)]
struct Whys(BTreeMap<&'static str, Undefined>);

impl Whys {
    fn keep<T>(&mut self, name: &'static str, figure: Result<T, Undefined>) -> Option<T> {
        figure
            .map_err(|why| {
                self.0.insert(name, why);
            })
            .ok()
    }
}

impl Statistics {
    /// Returns the figures [S10] of these round trips and this equity.
    pub fn new(outcomes: impl IntoIterator<Item = Outcome>, equity: &EquityCurve<'_>) -> Self {
        let mut sums = Sums::default();
        for outcome in outcomes {
            sums.add(&outcome);
        }
        Self::of(sums, equity)
    }

    /// Returns the figures of round trips that were summed up as they ended.
    pub(crate) fn of(sums: Sums, equity: &EquityCurve<'_>) -> Self {
        let trades = sums.trades;
        let fall = Drawdown::of(equity);
        let returns = returns::session_returns(equity.start_cents, equity.session_ends_cents);
        let annual_return = returns::annual_return(equity.start_cents, equity.session_ends_cents);
        let ratios = |of: fn(&[f64]) -> Result<f64, Undefined>| match &returns {
            Ok(returns) => of(returns),
            Err(why) => Err(*why),
        };
        let mut whys = Whys::default();
        Self {
            trades,
            wins: sums.wins,
            losses: sums.losses,
            scratches: trades - sums.wins - sums.losses,
            win_rate: whys.keep(
                "winRate",
                ratio(sums.wins.into(), trades.into(), Undefined::NoTrades),
            ),
            profit_factor: whys.keep(
                "profitFactor",
                sums.some(ratio(sums.won_cents, sums.lost_cents, Undefined::NoLosses)),
            ),
            payoff_ratio: whys.keep("payoffRatio", sums.some(sums.payoff_ratio())),
            expectancy_cents: whys.keep(
                "expectancyCents",
                ratio(sums.net_cents, trades.into(), Undefined::NoTrades),
            ),
            best_trade_cents: whys
                .keep("bestTradeCents", sums.best_cents.ok_or(Undefined::NoTrades)),
            worst_trade_cents: whys.keep(
                "worstTradeCents",
                sums.worst_cents.ok_or(Undefined::NoTrades),
            ),
            win_streak: sums.won.longest,
            loss_streak: sums.lost.longest,
            gross_cents: sums.gross_cents,
            fees_cents: sums.fees_cents,
            net_cents: sums.net_cents,
            slippage_cents: sums.slippage_cents,
            fees_share: whys.keep("feesShare", sums.some(sums.share(sums.fees_cents))),
            slippage_share: whys.keep("slippageShare", sums.some(sums.share(sums.slippage_cents))),
            final_equity_cents: equity
                .closes_cents
                .last()
                .copied()
                .unwrap_or(equity.start_cents),
            max_drawdown_cents: fall.cents,
            max_drawdown_share: fall.share,
            max_drawdown_fall: whys
                .keep("maxDrawdownFall", fall.deepest.ok_or(Undefined::NoDrawdown)),
            under_water_bars: fall.under_water_bars,
            annual_return: whys.keep("annualReturn", annual_return),
            annual_volatility: whys.keep("annualVolatility", ratios(returns::annual_volatility)),
            sharpe: whys.keep("sharpe", ratios(returns::sharpe)),
            sortino: whys.keep("sortino", ratios(returns::sortino)),
            calmar: whys.keep("calmar", returns::calmar(annual_return, fall.share)),
            sessions: count(equity.session_ends_cents.len()),
            exposure: whys.keep(
                "exposure",
                ratio(
                    equity.bars_held.into(),
                    count(equity.closes_cents.len()).into(),
                    Undefined::NoBars,
                ),
            ),
            hold_bars_mean: whys.keep(
                "holdBarsMean",
                ratio(sums.bars, trades.into(), Undefined::NoTrades),
            ),
            exit_reasons: sums.exit_reasons.into_iter().collect(),
            undefined: whys.0,
        }
    }
}

/// What is summed up of round trips, in the order of their exits.
#[derive(Default)]
pub(crate) struct Sums {
    trades: u32,
    wins: u32,
    losses: u32,
    won: Row,
    lost: Row,
    best_cents: Option<i64>,
    worst_cents: Option<i64>,
    won_cents: i64,
    lost_cents: i64,
    gross_cents: i64,
    fees_cents: i64,
    net_cents: i64,
    slippage_cents: i64,
    won_before_costs_cents: i64,
    bars: i64,
    /// In the order of their first appearance: there are few, and nearly always the next one is among the first.
    exit_reasons: Vec<(ExitReason, u32)>,
}

impl Sums {
    pub(crate) fn add(&mut self, outcome: &Outcome) {
        let net_cents = outcome.net_cents;
        self.trades += 1;
        self.wins += u32::from(net_cents > 0);
        self.losses += u32::from(net_cents < 0);
        self.won.go_on(net_cents > 0);
        self.lost.go_on(net_cents < 0);
        self.best_cents = self.best_cents.max(Some(net_cents));
        let worst_cents = self.worst_cents.unwrap_or(net_cents);
        self.worst_cents = Some(worst_cents.min(net_cents));
        self.won_cents += net_cents.max(0);
        self.lost_cents -= net_cents.min(0);
        self.gross_cents += outcome.gross_cents;
        self.fees_cents += outcome.fees_cents;
        self.net_cents += net_cents;
        self.slippage_cents += outcome.slippage_cents;
        self.won_before_costs_cents += (outcome.gross_cents + outcome.slippage_cents).max(0);
        self.bars += i64::from(outcome.bars);
        let same = |(reason, _): &&mut (ExitReason, u32)| *reason == outcome.reason;
        match self.exit_reasons.iter_mut().find(same) {
            Some((_, count)) => *count += 1,
            None => self.exit_reasons.push((outcome.reason, 1)),
        }
    }

    /// The figure, or that there is no trade at all: the first thing to say.
    fn some<T>(&self, figure: Result<T, Undefined>) -> Result<T, Undefined> {
        if self.trades == 0 {
            return Err(Undefined::NoTrades);
        }
        figure
    }

    #[expect(clippy::float_arithmetic, reason = "a ratio has no unit")]
    fn payoff_ratio(&self) -> Result<f64, Undefined> {
        let loss = ratio(self.lost_cents, self.losses.into(), Undefined::NoLosses)?;
        let win = ratio(self.won_cents, self.wins.into(), Undefined::NoWins)?;
        Ok(win / loss)
    }

    fn share(&self, of_cents: i64) -> Result<f64, Undefined> {
        ratio(of_cents, self.won_before_costs_cents, Undefined::NothingWon)
    }
}

/// Round trips of one kind in a row.
#[derive(Default)]
struct Row {
    current: u32,
    longest: u32,
}

impl Row {
    fn go_on(&mut self, is_of_it: bool) {
        self.current = if is_of_it { self.current + 1 } else { 0 };
        self.longest = self.longest.max(self.current);
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).expect("fewer than four thousand million bars and trades")
}

/// Returns a / b, or why not where b is 0.
#[expect(clippy::float_arithmetic, reason = "a ratio has no unit")]
fn ratio(a: i64, b: i64, otherwise: Undefined) -> Result<f64, Undefined> {
    if b == 0 {
        return Err(otherwise);
    }
    Ok(a as f64 / b as f64)
}

/// The deepest fall in cents and the deepest as a share of its peak, which may be different falls.
#[derive(Default)]
struct Drawdown {
    cents: i64,
    share: f64,
    deepest: Option<Fall>,
    under_water_bars: u32,
}

/// What lies below one peak: most closes do, so little is done for each, and the rest at its end.
struct Valley {
    peak_cents: i64,
    /// None = the equity before the first bar.
    peak_bar: Option<u32>,
    fall_cents: i64,
    trough: usize,
    wet_bars: u32,
}

impl Drawdown {
    fn of(equity: &EquityCurve<'_>) -> Self {
        let mut found = Self::default();
        let mut valley = Valley {
            peak_cents: equity.start_cents,
            peak_bar: None,
            fall_cents: 0,
            trough: 0,
            wet_bars: 0,
        };
        for (at, &close_cents) in equity.closes_cents.iter().enumerate() {
            let fall_cents = valley.peak_cents - close_cents;
            if fall_cents > 0 {
                valley.wet_bars += 1;
                if fall_cents > valley.fall_cents {
                    (valley.fall_cents, valley.trough) = (fall_cents, at);
                }
                continue;
            }
            if valley.wet_bars > 0 {
                found.add(&valley, Some(at));
            }
            // A peak that is only reached again is the same peak.
            if fall_cents < 0 {
                valley.peak_bar = Some(count(at));
            }
            valley = Valley {
                peak_cents: close_cents,
                fall_cents: 0,
                wet_bars: 0,
                ..valley
            };
        }
        found.add(&valley, None);
        found
    }

    fn add(&mut self, valley: &Valley, recovered: Option<usize>) {
        self.under_water_bars = self.under_water_bars.max(valley.wet_bars);
        self.cents = self.cents.max(valley.fall_cents);
        let share = ratio(valley.fall_cents, valley.peak_cents, Undefined::Ruined).unwrap_or(0.0);
        if share > self.share {
            self.share = share;
            self.deepest = Some(Fall {
                peak_bar: valley.peak_bar,
                trough_bar: count(valley.trough),
                recovered_bar: recovered.map(count),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(net_cents: i64, reason: ExitReason) -> Outcome {
        Outcome {
            gross_cents: net_cents + 100,
            fees_cents: 100,
            net_cents,
            slippage_cents: 50,
            bars: 3,
            reason,
        }
    }

    fn curve<'a>(closes_cents: &'a [i64], session_ends_cents: &'a [i64]) -> EquityCurve<'a> {
        EquityCurve {
            start_cents: 1_000,
            closes_cents,
            session_ends_cents,
            bars_held: 1,
        }
    }

    #[test]
    fn a_run_without_trades_has_no_ratios() {
        let figures = Statistics::new([], &curve(&[], &[]));

        assert_eq!(figures.final_equity_cents, 1_000);
        assert_eq!(
            (figures.max_drawdown_cents, figures.max_drawdown_share),
            (0, 0.0)
        );
        for ratio in [
            figures.win_rate,
            figures.profit_factor,
            figures.payoff_ratio,
            figures.expectancy_cents,
            figures.sharpe,
            figures.exposure,
            figures.hold_bars_mean,
            figures.fees_share,
            figures.slippage_share,
            figures.annual_return,
            figures.annual_volatility,
            figures.sortino,
            figures.calmar,
        ] {
            assert_eq!(ratio, None);
        }
        assert_eq!(figures.undefined["profitFactor"], Undefined::NoTrades);
        assert_eq!(figures.undefined["sharpe"], Undefined::FewSessions);
        assert_eq!(figures.undefined["exposure"], Undefined::NoBars);
    }

    #[test]
    fn every_figure_without_a_value_says_why_and_none_is_infinite() {
        let cases: [(&[i64], &[i64]); 6] = [
            (&[], &[]),
            (&[100], &[1_100]),
            (&[-100], &[900]),
            (&[0, 0], &[1_000, 1_000]),
            (&[-2_000], &[-1_000, -500]),
            (&[500, -100], &[1_500, 1_400]),
        ];
        for (nets, ends) in cases {
            let outcomes: Vec<_> = nets
                .iter()
                .map(|&net| outcome(net, ExitReason::Zexit))
                .collect();

            let json = serde_json::to_value(Statistics::new(outcomes, &curve(ends, ends))).unwrap();

            let undefined = json["undefined"].as_object().unwrap();
            for (name, value) in json.as_object().unwrap() {
                let has_reason = undefined.contains_key(name);
                assert_eq!(value.is_null(), has_reason, "{nets:?}: {name} = {value}");
            }
        }
    }

    #[test]
    fn a_row_is_ended_by_a_scratch() {
        let outcomes = [100, 100, 0, 100, -100, -100, -100, 0, -100]
            .map(|net| outcome(net, ExitReason::Zexit));

        let figures = Statistics::new(outcomes, &curve(&[1_000], &[1_000]));

        assert_eq!((figures.win_streak, figures.loss_streak), (2, 3));
    }

    #[test]
    fn costs_are_shares_of_what_was_won_before_them() {
        // Gross 400 and -100, so before the slippage of 50 each 450 and -50: 450 won.
        let outcomes = [300, -200].map(|net| outcome(net, ExitReason::Zexit));

        let figures = Statistics::new(outcomes, &curve(&[1_100], &[1_100]));

        assert_eq!(figures.slippage_cents, 100);
        assert_eq!(figures.fees_share, Some(200.0 / 450.0));
        assert_eq!(figures.slippage_share, Some(100.0 / 450.0));
    }

    #[test]
    fn the_deepest_fall_has_its_peak_its_bottom_and_its_recovery() {
        let closes = [1_100, 1_000, 1_100, 1_200, 900, 1_000, 1_200, 1_100];

        let figures = Statistics::new([], &curve(&closes, &[1_100]));

        assert_eq!(
            figures.max_drawdown_fall,
            Some(Fall {
                peak_bar: Some(3),
                trough_bar: 4,
                recovered_bar: Some(6),
            })
        );
        assert_eq!(
            (figures.max_drawdown_cents, figures.under_water_bars),
            (300, 2)
        );
    }

    #[test]
    fn falls_are_those_that_looking_back_from_every_close_finds() {
        let mut state = 7_u32;
        for length in 0..120 {
            let mut equity = 1_000;
            let closes: Vec<i64> = (0..length)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    equity += i64::from((state >> 16) % 7) - 3;
                    equity
                })
                .collect();

            let figures = Statistics::new([], &curve(&closes, &[]));

            let peak_at = |at: usize| closes[..=at].iter().copied().max().unwrap_or(0).max(1_000);
            let fall_at = |at: usize| peak_at(at) - closes[at];
            let deepest = (0..length).map(fall_at).max().unwrap_or(0);
            let share_at = |at: usize| fall_at(at) as f64 / peak_at(at) as f64;
            let share = (0..length).map(share_at).fold(0.0, f64::max);
            let trough = (0..length).find(|&at| share > 0.0 && share_at(at) == share);
            let recovered = trough
                .and_then(|trough| (trough..length).find(|&at| closes[at] >= peak_at(trough)));
            assert_eq!(figures.max_drawdown_cents, deepest);
            assert_eq!(figures.max_drawdown_share, share);
            let fall = figures.max_drawdown_fall;
            assert_eq!(fall.map(|fall| fall.trough_bar), trough.map(count));
            assert_eq!(
                fall.and_then(|fall| fall.recovered_bar),
                recovered.map(count)
            );
        }
    }

    #[test]
    fn a_fall_from_the_start_has_no_peak_bar_and_may_not_have_recovered() {
        let figures = Statistics::new([], &curve(&[900, 950, 850, 999], &[999]));

        assert_eq!(
            figures.max_drawdown_fall,
            Some(Fall {
                peak_bar: None,
                trough_bar: 2,
                recovered_bar: None,
            })
        );
        assert_eq!(figures.under_water_bars, 4);
    }

    #[test]
    fn scratches_count_as_trades_and_as_neither_win_nor_loss() {
        let outcomes = [300, -100, 0, -200].map(|net| outcome(net, ExitReason::Zexit));
        let figures = Statistics::new(outcomes, &curve(&[1_000], &[1_000]));

        assert_eq!(
            (
                figures.trades,
                figures.wins,
                figures.losses,
                figures.scratches
            ),
            (4, 1, 2, 1)
        );
        assert_eq!(figures.win_rate, Some(0.25));
        assert_eq!(figures.profit_factor, Some(1.0));
        assert_eq!(figures.payoff_ratio, Some(2.0));
        assert_eq!(figures.expectancy_cents, Some(0.0));
        assert_eq!(
            (figures.gross_cents, figures.fees_cents, figures.net_cents),
            (400, 400, 0)
        );
    }

    #[test]
    fn without_losses_there_is_no_profit_factor() {
        let figures = Statistics::new([outcome(5, ExitReason::Target)], &curve(&[1_005], &[1_005]));

        assert_eq!((figures.profit_factor, figures.payoff_ratio), (None, None));
        assert_eq!(
            figures.exit_reasons,
            BTreeMap::from([(ExitReason::Target, 1)])
        );
    }

    #[test]
    fn a_drawdown_counts_from_the_starting_equity_and_the_two_may_be_different_falls() {
        let first_bar_falls = Statistics::new([], &curve(&[900, 950], &[950]));
        let two_falls = Statistics::new([], &curve(&[500, 10_000, 9_000], &[9_000]));

        assert_eq!(
            (
                first_bar_falls.max_drawdown_cents,
                first_bar_falls.max_drawdown_share
            ),
            (100, 0.1)
        );
        assert_eq!(
            (two_falls.max_drawdown_cents, two_falls.max_drawdown_share),
            (1_000, 0.5)
        );
    }

    #[test]
    fn the_sharpe_ratio_wants_two_different_sessions() {
        let of = |ends: &[i64]| Statistics::new([], &curve(ends, ends)).sharpe;

        assert_eq!(of(&[1_100]), None);
        assert_eq!(of(&[1_000, 1_000, 1_000]), None);
        // Returns 0.1 and -0.1: mean 0.
        assert_eq!(
            of(&[1_100, 990]).map(|sharpe| sharpe.abs() < 1e-12),
            Some(true)
        );
        // Returns 0.1 and 0.2: mean 0.15, deviation 0.1/√2.
        let expected = 0.15 / (0.1 / 2.0_f64.sqrt()) * 252.0_f64.sqrt();
        assert!((of(&[1_100, 1_320]).unwrap() - expected).abs() < 1e-9);
    }
}
