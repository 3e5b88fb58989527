//! Ratios of the sessions' returns, and how sure a Sharpe ratio is of being above another one.
#![expect(
    clippy::float_arithmetic,
    reason = "returns and their ratios have no unit"
)]

use super::normal::{normal_cdf, normal_quantile};
use super::{Undefined, count};

/// Sessions in a year.
pub const SESSIONS_PER_YEAR: f64 = 252.0;
/// Euler–Mascheroni.
const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

/// Returns each session's equity / the one before − 1, the first against the starting equity.
pub(super) fn session_returns(start_cents: i64, ends_cents: &[i64]) -> Result<Vec<f64>, Undefined> {
    let mut before_cents = start_cents;
    let mut returns = Vec::with_capacity(ends_cents.len());
    for &end_cents in ends_cents {
        if before_cents <= 0 {
            return Err(Undefined::Ruined);
        }
        returns.push((end_cents - before_cents) as f64 / before_cents as f64);
        before_cents = end_cents;
    }
    Ok(returns)
}

pub(super) fn annual_return(start_cents: i64, ends_cents: &[i64]) -> Result<f64, Undefined> {
    let Some(&end_cents) = ends_cents.last() else {
        return Err(Undefined::FewSessions);
    };
    if ends_cents.iter().any(|&cents| cents <= 0) {
        return Err(Undefined::Ruined);
    }
    let growth = end_cents as f64 / start_cents as f64;
    let years = f64::from(count(ends_cents.len())) / SESSIONS_PER_YEAR;
    Ok(growth.powf(1.0 / years) - 1.0)
}

pub(super) fn annual_volatility(returns: &[f64]) -> Result<f64, Undefined> {
    if returns.len() < 2 {
        return Err(Undefined::FewSessions);
    }
    Ok(deviation(returns, mean(returns)) * SESSIONS_PER_YEAR.sqrt())
}

pub(super) fn sharpe(returns: &[f64]) -> Result<f64, Undefined> {
    Ok(Moments::of(returns)?.sharpe * SESSIONS_PER_YEAR.sqrt())
}

pub(super) fn sortino(returns: &[f64]) -> Result<f64, Undefined> {
    if returns.len() < 2 {
        return Err(Undefined::FewSessions);
    }
    let squares: f64 = returns.iter().map(|one| one.min(0.0).powi(2)).sum();
    if squares == 0.0 {
        return Err(Undefined::NoDownside);
    }
    let downside = (squares / size(returns)).sqrt();
    Ok(mean(returns) / downside * SESSIONS_PER_YEAR.sqrt())
}

pub(super) fn calmar(annual_return: Result<f64, Undefined>, share: f64) -> Result<f64, Undefined> {
    let annual_return = annual_return?;
    if share == 0.0 {
        return Err(Undefined::NoDrawdown);
    }
    Ok(annual_return / share)
}

/// What a series of returns says of its Sharpe ratio, for one period (not a year).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// How many.
    pub count: u32,
    /// Mean / standard deviation (ddof 1).
    pub sharpe: f64,
    /// Third standardised central moment (ddof 0).
    pub skewness: f64,
    /// Fourth standardised central moment (ddof 0); 3 for a normal distribution.
    pub kurtosis: f64,
}

impl Moments {
    /// Returns the moments of two returns or more that are not all the same.
    pub fn of(returns: &[f64]) -> Result<Moments, Undefined> {
        if returns.len() < 2 {
            return Err(Undefined::FewSessions);
        }
        if returns.iter().all(|one| *one == returns[0]) {
            return Err(Undefined::NoDeviation);
        }
        let mean = mean(returns);
        let central = |power: i32| {
            returns
                .iter()
                .map(|one| (one - mean).powi(power))
                .sum::<f64>()
                / size(returns)
        };
        let variance = central(2);
        if variance == 0.0 {
            return Err(Undefined::NoDeviation);
        }
        Ok(Moments {
            count: count(returns.len()),
            sharpe: mean / deviation(returns, mean),
            skewness: central(3) / variance.powf(1.5),
            kurtosis: central(4) / variance.powi(2),
        })
    }

    /// Returns the variance of the Sharpe ratio's estimate.
    pub(super) fn sharpe_variance(&self) -> Result<f64, Undefined> {
        let Moments {
            sharpe,
            skewness,
            kurtosis,
            ..
        } = self;
        let scale = 1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe.powi(2);
        if scale <= 0.0 {
            return Err(Undefined::NoVariance);
        }
        Ok(scale / f64::from(self.count - 1))
    }
}

/// Returns the probability that the true Sharpe ratio lies above `benchmark` (for one period, as in `moments`):
/// Φ((SR − SR*)·√(n−1) / √(1 − γ₃·SR + (γ₄−1)/4·SR²)), from Bailey and López de Prado, "The Sharpe Ratio Efficient
/// Frontier", Journal of Risk 15(2), 2012, equation 6. quantstats' `probabilistic_ratio` takes the excess kurtosis where
/// the formula asks for the whole, so that it differs.
pub fn probabilistic_sharpe(moments: &Moments, benchmark: f64) -> Result<f64, Undefined> {
    let deviation = moments.sharpe_variance()?.sqrt();
    Ok(normal_cdf((moments.sharpe - benchmark) / deviation))
}

/// Returns the Sharpe ratio that the best of `trials` tries without any skill is expected to show, where the tries'
/// ratios have this variance: √V·((1−γ)·Φ⁻¹(1−1/N) + γ·Φ⁻¹(1−1/(N·e))), from Bailey and López de Prado, "The Deflated
/// Sharpe Ratio", Journal of Portfolio Management 40(5), 2014, equation 1. N of 2 or more.
pub fn expected_sharpe_max(trials: u32, variance: f64) -> Result<f64, Undefined> {
    if trials < 2 {
        return Err(Undefined::OneTrial);
    }
    let trials = f64::from(trials);
    let first = normal_quantile(1.0 - 1.0 / trials);
    let second = normal_quantile(1.0 - 1.0 / (trials * std::f64::consts::E));
    Ok(variance.sqrt() * ((1.0 - EULER_GAMMA) * first + EULER_GAMMA * second))
}

/// Returns the deflated Sharpe ratio: the probability that the true ratio lies above what luck alone gives the best of
/// `trials` tries (Bailey and López de Prado 2014, equation 2). `variance` is that of the tries' ratios, for one period
/// (not a year); none where only their number is known: then that of the estimate stands for it, which is what tries
/// without skill, independent of each other, have.
pub fn deflated_sharpe(
    moments: &Moments,
    trials: u32,
    variance: Option<f64>,
) -> Result<f64, Undefined> {
    let variance = variance.map_or_else(|| moments.sharpe_variance(), Ok)?;
    probabilistic_sharpe(moments, expected_sharpe_max(trials, variance)?)
}

fn size(values: &[f64]) -> f64 {
    f64::from(count(values.len()))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / size(values)
}

fn deviation(values: &[f64], mean: f64) -> f64 {
    let squares: f64 = values.iter().map(|one| (one - mean).powi(2)).sum();
    (squares / (size(values) - 1.0)).sqrt()
}
