//! What chance may have to do with a run: intervals by resampling, and the odds of its Sharpe ratio. Costs some tenths of a
//! second, so that it is asked for and not a part of every run.

use super::bootstrap::{block_mean, quantile, resamples, stationary_bootstrap};
use super::returns::{
    Moments, deflated_sharpe, expected_sharpe_max, probabilistic_sharpe, session_returns, sharpe,
    sortino,
};
use super::{RESAMPLES_MAX, SESSIONS_PER_YEAR, Undefined, Whys, count, ratio};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

/// Fewer round trips or sessions than this are not resampled.
const OBSERVATIONS_MIN: usize = 10;
/// More undefined resamples than one in so many, and there is no interval.
const UNDEFINED_ONE_IN: usize = 10;

/// How a study is made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StudySettings {
    /// The same seed gives the same intervals.
    pub seed: u32,
    /// Resampled series; at most 2 000, fewer where the series is very long.
    pub resamples: u32,
    /// Parameter sets that were tried before this one was chosen, itself included; at least 1.
    pub trials: u32,
}

/// Where a figure may lie: nine tenths of the resamples did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, TS)]
pub struct Interval {
    /// The 5 % quantile.
    pub low: f64,
    /// The 95 % quantile.
    pub high: f64,
}

/// Share of the resamples on either side of an interval.
const TAIL: f64 = 0.05;

/// What chance may have to do with a run. One without meaning is none, and `undefined` says why.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Study {
    /// Share of the resamples inside of an interval.
    pub level: f64,
    /// Of the generator.
    pub seed: u32,
    /// Resampled series of round trips, and the mean length of their blocks.
    pub trade_resamples: u32,
    /// In round trips.
    pub trade_block_mean: u32,
    /// Of sessions.
    pub session_resamples: u32,
    /// In sessions.
    pub session_block_mean: u32,
    /// Of the net of all trades.
    pub net_cents: Option<Interval>,
    /// Of the mean net of a trade.
    pub expectancy_cents: Option<Interval>,
    /// Of wins / trades.
    pub win_rate: Option<Interval>,
    /// Of sum of wins / |sum of losses|.
    pub profit_factor: Option<Interval>,
    /// Of the Sharpe ratio a year.
    pub sharpe: Option<Interval>,
    /// Of the Sortino ratio a year.
    pub sortino: Option<Interval>,
    /// Third standardised moment of the sessions' returns.
    pub skewness: Option<f64>,
    /// Fourth standardised moment; 3 for a normal distribution.
    pub kurtosis: Option<f64>,
    /// Probability that the true Sharpe ratio lies above 0 (Bailey and López de Prado 2012).
    pub probabilistic_sharpe: Option<f64>,
    /// Parameter sets tried, as was said.
    pub trials: u32,
    /// The Sharpe ratio a year that the best of so many tries without skill is expected to show.
    pub sharpe_by_luck: Option<f64>,
    /// Probability that the true Sharpe ratio lies above that (Bailey and López de Prado 2014).
    pub deflated_sharpe: Option<f64>,
    /// Of each figure that is none, by its name: why.
    pub undefined: BTreeMap<&'static str, Undefined>,
}

impl Study {
    /// Returns what resampling these round trips' nets, in the order of their exits, and these sessions' equity says.
    pub fn new(
        settings: &StudySettings,
        nets_cents: &[i64],
        start_cents: i64,
        session_ends_cents: &[i64],
    ) -> Study {
        let mut whys = Whys::default();
        let returns = session_returns(start_cents, session_ends_cents);
        let observed = returns.as_deref().unwrap_or(&[]);
        let wanted = settings.resamples.clamp(1, RESAMPLES_MAX);
        let of_trades = Resampling::of(nets_cents.len(), wanted, settings.seed);
        let of_sessions = Resampling::of(observed.len(), wanted, settings.seed);
        let [net_cents, expectancy_cents, win_rate, profit_factor] = of_trades.intervals(
            nets_cents,
            [total, expectancy, win_rate_of, profit_factor_of],
            Undefined::NoTrades,
        );
        let [sharpe, sortino] = match &returns {
            Ok(returns) => {
                of_sessions.intervals(returns, [sharpe, sortino], Undefined::FewSessions)
            }
            Err(why) => [Err(*why); 2],
        };
        let moments = returns.as_deref().map_err(|why| *why).and_then(Moments::of);
        let of =
            |figure: fn(&Moments) -> Result<f64, Undefined>| moments.and_then(|it| figure(&it));
        let trials = settings.trials.max(1);
        Study {
            level: LEVEL,
            seed: settings.seed,
            trade_resamples: of_trades.resamples,
            trade_block_mean: of_trades.block_mean,
            session_resamples: of_sessions.resamples,
            session_block_mean: of_sessions.block_mean,
            net_cents: whys.keep("netCents", net_cents),
            expectancy_cents: whys.keep("expectancyCents", expectancy_cents),
            win_rate: whys.keep("winRate", win_rate),
            profit_factor: whys.keep("profitFactor", profit_factor),
            sharpe: whys.keep("sharpe", sharpe),
            sortino: whys.keep("sortino", sortino),
            skewness: whys.keep("skewness", of(|it| Ok(it.skewness))),
            kurtosis: whys.keep("kurtosis", of(|it| Ok(it.kurtosis))),
            probabilistic_sharpe: whys.keep(
                "probabilisticSharpe",
                of(|it| probabilistic_sharpe(it, 0.0)),
            ),
            trials,
            sharpe_by_luck: whys.keep("sharpeByLuck", moments.and_then(|it| by_luck(&it, trials))),
            deflated_sharpe: whys.keep(
                "deflatedSharpe",
                moments.and_then(|it| deflated_sharpe(&it, trials, None)),
            ),
            undefined: whys.0,
        }
    }
}

const LEVEL: f64 = 0.9;

/// Computes a figure of a series.
type Figure<T> = fn(&[T]) -> Result<f64, Undefined>;

/// How one series is resampled.
struct Resampling {
    resamples: u32,
    block_mean: u32,
    seed: u64,
}

impl Resampling {
    fn of(length: usize, wanted: u32, seed: u32) -> Resampling {
        Resampling {
            resamples: resamples(length, wanted),
            block_mean: block_mean(length),
            seed: seed.into(),
        }
    }

    /// Returns the interval of each figure over the same resamples.
    fn intervals<T: Copy, const N: usize>(
        &self,
        values: &[T],
        figures: [Figure<T>; N],
        empty: Undefined,
    ) -> [Result<Interval, Undefined>; N] {
        if values.is_empty() {
            return [Err(empty); N];
        }
        if values.len() < OBSERVATIONS_MIN {
            return [Err(Undefined::TooFew); N];
        }
        let mut found: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
        stationary_bootstrap(
            values,
            self.block_mean,
            self.resamples,
            self.seed,
            |sample| {
                for (figure, found) in figures.iter().zip(&mut found) {
                    found.extend(figure(sample));
                }
            },
        );
        found.map(|values| self.interval(values))
    }

    fn interval(&self, mut values: Vec<f64>) -> Result<Interval, Undefined> {
        let missing = self.resamples as usize - values.len();
        if missing * UNDEFINED_ONE_IN > self.resamples as usize {
            return Err(Undefined::Unstable);
        }
        values.sort_unstable_by(f64::total_cmp);
        Ok(Interval {
            low: quantile(&values, TAIL),
            high: quantile(&values, HIGH_TAIL),
        })
    }
}

const HIGH_TAIL: f64 = 0.95;

#[expect(clippy::float_arithmetic, reason = "a ratio has no unit")]
fn by_luck(moments: &Moments, trials: u32) -> Result<f64, Undefined> {
    let variance = moments.sharpe_variance()?;
    Ok(expected_sharpe_max(trials, variance)? * SESSIONS_PER_YEAR.sqrt())
}

fn total(nets_cents: &[i64]) -> Result<f64, Undefined> {
    Ok(nets_cents.iter().sum::<i64>() as f64)
}

fn expectancy(nets_cents: &[i64]) -> Result<f64, Undefined> {
    ratio(
        nets_cents.iter().sum(),
        count(nets_cents.len()).into(),
        Undefined::NoTrades,
    )
}

fn win_rate_of(nets_cents: &[i64]) -> Result<f64, Undefined> {
    let wins = nets_cents.iter().filter(|&&net| net > 0).count();
    ratio(
        count(wins).into(),
        count(nets_cents.len()).into(),
        Undefined::NoTrades,
    )
}

fn profit_factor_of(nets_cents: &[i64]) -> Result<f64, Undefined> {
    let won: i64 = nets_cents.iter().map(|net| net.max(&0)).sum();
    let lost: i64 = nets_cents.iter().map(|net| net.min(&0)).sum();
    ratio(won, -lost, Undefined::NoLosses)
}
