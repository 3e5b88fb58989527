//! Figures of a finished run [S10]: from round trips and equity in whole cents to ratios. Decides nothing.

use crate::status::ExitReason;
use serde::Serialize;
use std::collections::BTreeMap;
use ts_rs::TS;

/// Sessions in a year, for the Sharpe ratio.
const SESSIONS_PER_YEAR: f64 = 252.0;

/// What counts of a round trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Before fees.
    pub gross_cents: i64,
    /// Both sides.
    pub fees_cents: i64,
    /// After fees.
    pub net_cents: i64,
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

/// Figures of a run. A ratio is none where it has no meaning: nothing to divide by, or too few sessions.
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
    /// Before fees.
    pub gross_cents: i64,
    /// Of all fills.
    pub fees_cents: i64,
    /// After fees.
    pub net_cents: i64,
    /// Equity at the last close.
    pub final_equity_cents: i64,
    /// Largest fall from a peak, the starting equity included; ≥ 0.
    pub max_drawdown_cents: i64,
    /// Largest fall as a share of its peak, ≥ 0 (empyrical `max_drawdown` with the sign turned).
    pub max_drawdown_share: f64,
    /// Mean / standard deviation (ddof 1) of the sessions' returns, times √252, without a risk-free rate (quantstats and
    /// empyrical `sharpe`). To be read with `sessions` beside it.
    pub sharpe: Option<f64>,
    /// Sessions in the data.
    pub sessions: u32,
    /// Share of bars with a position.
    pub exposure: Option<f64>,
    /// Mean of the trades' bars.
    pub hold_bars_mean: Option<f64>,
    /// Trades by the reason of their exit.
    pub exit_reasons: BTreeMap<ExitReason, u32>,
}

impl Statistics {
    /// Returns the figures [S10] of these round trips and this equity.
    pub fn new(outcomes: &[Outcome], equity: &EquityCurve<'_>) -> Self {
        let sum = |of: fn(&Outcome) -> i64| outcomes.iter().map(of).sum::<i64>();
        let won: Vec<i64> = outcomes
            .iter()
            .map(|o| o.net_cents)
            .filter(|&net| net > 0)
            .collect();
        let lost: Vec<i64> = outcomes
            .iter()
            .map(|o| o.net_cents)
            .filter(|&net| net < 0)
            .collect();
        let (won_cents, lost_cents) = (won.iter().sum::<i64>(), -lost.iter().sum::<i64>());
        let (trades, wins, losses) = (count(outcomes.len()), count(won.len()), count(lost.len()));
        let bars = outcomes.iter().map(|o| i64::from(o.bars)).sum();
        let (max_drawdown_cents, max_drawdown_share) = max_drawdown(equity);
        let mut exit_reasons = BTreeMap::new();
        for outcome in outcomes {
            *exit_reasons.entry(outcome.reason).or_insert(0) += 1;
        }
        Self {
            trades,
            wins,
            losses,
            scratches: trades - wins - losses,
            win_rate: ratio(wins.into(), trades.into()),
            profit_factor: ratio(won_cents, lost_cents),
            payoff_ratio: payoff_ratio(won_cents, wins, lost_cents, losses),
            expectancy_cents: ratio(sum(|o| o.net_cents), trades.into()),
            gross_cents: sum(|o| o.gross_cents),
            fees_cents: sum(|o| o.fees_cents),
            net_cents: sum(|o| o.net_cents),
            final_equity_cents: equity
                .closes_cents
                .last()
                .copied()
                .unwrap_or(equity.start_cents),
            max_drawdown_cents,
            max_drawdown_share,
            sharpe: sharpe(equity),
            sessions: count(equity.session_ends_cents.len()),
            exposure: ratio(
                equity.bars_held.into(),
                count(equity.closes_cents.len()).into(),
            ),
            hold_bars_mean: ratio(bars, trades.into()),
            exit_reasons,
        }
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).expect("fewer than four thousand million bars and trades")
}

/// Returns a / b, none where b is 0.
#[expect(clippy::float_arithmetic, reason = "a ratio has no unit")]
fn ratio(a: i64, b: i64) -> Option<f64> {
    (b != 0).then(|| a as f64 / b as f64)
}

#[expect(clippy::float_arithmetic, reason = "a ratio has no unit")]
fn payoff_ratio(won_cents: i64, wins: u32, lost_cents: i64, losses: u32) -> Option<f64> {
    let win = ratio(won_cents, wins.into())?;
    let loss = ratio(lost_cents, losses.into())?;
    Some(win / loss)
}

/// Returns the deepest fall in cents and the deepest as a share of its peak; they may be different falls.
fn max_drawdown(equity: &EquityCurve<'_>) -> (i64, f64) {
    let mut peak_cents = equity.start_cents;
    let mut deepest = (0, 0.0_f64);
    for &close_cents in equity.closes_cents {
        peak_cents = peak_cents.max(close_cents);
        let fall_cents = peak_cents - close_cents;
        deepest.0 = deepest.0.max(fall_cents);
        deepest.1 = deepest.1.max(ratio(fall_cents, peak_cents).unwrap_or(0.0));
    }
    deepest
}

#[expect(
    clippy::float_arithmetic,
    reason = "returns and their ratio have no unit"
)]
fn sharpe(equity: &EquityCurve<'_>) -> Option<f64> {
    let mut before_cents = equity.start_cents;
    let mut returns = Vec::with_capacity(equity.session_ends_cents.len());
    for &end_cents in equity.session_ends_cents {
        returns.push(ratio(end_cents - before_cents, before_cents)?);
        before_cents = end_cents;
    }
    let sessions = f64::from(count(returns.len()));
    if returns.len() < 2 || returns.iter().all(|of_one| *of_one == returns[0]) {
        return None;
    }
    let mean = returns.iter().sum::<f64>() / sessions;
    let squares: f64 = returns.iter().map(|of_one| (of_one - mean).powi(2)).sum();
    let deviation = (squares / (sessions - 1.0)).sqrt();
    Some(mean / deviation * SESSIONS_PER_YEAR.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(net_cents: i64, reason: ExitReason) -> Outcome {
        Outcome {
            gross_cents: net_cents + 100,
            fees_cents: 100,
            net_cents,
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
        let figures = Statistics::new(&[], &curve(&[], &[]));

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
        ] {
            assert_eq!(ratio, None);
        }
    }

    #[test]
    fn scratches_count_as_trades_and_as_neither_win_nor_loss() {
        let outcomes = [300, -100, 0, -200].map(|net| outcome(net, ExitReason::Zexit));
        let figures = Statistics::new(&outcomes, &curve(&[1_000], &[1_000]));

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
        let figures = Statistics::new(
            &[outcome(5, ExitReason::Target)],
            &curve(&[1_005], &[1_005]),
        );

        assert_eq!((figures.profit_factor, figures.payoff_ratio), (None, None));
        assert_eq!(
            figures.exit_reasons,
            BTreeMap::from([(ExitReason::Target, 1)])
        );
    }

    #[test]
    fn a_drawdown_counts_from_the_starting_equity_and_the_two_may_be_different_falls() {
        let first_bar_falls = Statistics::new(&[], &curve(&[900, 950], &[950]));
        let two_falls = Statistics::new(&[], &curve(&[500, 10_000, 9_000], &[9_000]));

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
        let of = |ends: &[i64]| Statistics::new(&[], &curve(ends, ends)).sharpe;

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
